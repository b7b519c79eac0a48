// Task: a coroutine that runs when it is awaited and resumes its awaiter when it is done.
//
// Plain and single-threaded, one worker's own: a resumption is a function call, not a trip through
// a scheduler, and frames are recycled, so that a session that is warm allocates nothing.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <utility>

namespace lb::net {

// Free lists of coroutine frames, by size, one set for each thread.
class FrameMemory {
 public:
  static void* take(std::size_t size) {
    const std::size_t cls = class_of(size);
    if (cls >= kClasses) return ::operator new(size);
    Node*& first = lists().first[cls];
    if (first == nullptr) return ::operator new((cls + 1) * kStep);
    return std::exchange(first, first->next);
  }

  static void give(void* memory, std::size_t size) {
    const std::size_t cls = class_of(size);
    if (cls >= kClasses) return ::operator delete(memory);
    Node*& first = lists().first[cls];
    first = ::new (memory) Node{first};
  }

 private:
  static constexpr std::size_t kStep = 32;  // An idle connection has half a dozen of these.
  static constexpr std::size_t kClasses = 128;
  struct Node {
    Node* next;
  };
  struct Lists {
    std::array<Node*, kClasses> first{};
    Lists() = default;
    Lists(const Lists&) = delete;
    Lists& operator=(const Lists&) = delete;
    ~Lists() {
      for (Node* node : first) {
        while (node != nullptr) ::operator delete(std::exchange(node, node->next));
      }
    }
  };

  static std::size_t class_of(std::size_t size) { return (size - 1) / kStep; }
  static Lists& lists() {
    thread_local Lists lists;
    return lists;
  }
};

template <class T>
class Task;

namespace task_detail {

struct PromiseBase {
  std::coroutine_handle<> awaiter = std::noop_coroutine();

  static void* operator new(std::size_t size) { return FrameMemory::take(size); }
  static void operator delete(void* memory, std::size_t size) { FrameMemory::give(memory, size); }

  static std::suspend_always initial_suspend() noexcept { return {}; }
  // Nothing in the data path throws; what does is a bug, or memory is out.
  [[noreturn]] static void unhandled_exception() { std::terminate(); }

  struct FinalAwaiter {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
      return done.promise().awaiter;
    }
    static void await_resume() noexcept {}
  };
  static FinalAwaiter final_suspend() noexcept { return {}; }
};

template <class T>
struct Promise : PromiseBase {
  T value{};
  Task<T> get_return_object();
  void return_value(T result) { value = std::move(result); }
  T take() { return std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  static void return_void() {}
  static void take() {}
};

}  // namespace task_detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  static bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) {
    handle_.promise().awaiter = awaiter;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> task_detail::Promise<T>::get_return_object() {
  return Task<T>{std::coroutine_handle<Promise>::from_promise(*this)};
}
inline Task<void> task_detail::Promise<void>::get_return_object() {
  return Task<void>{std::coroutine_handle<Promise>::from_promise(*this)};
}

// Runs a task that nobody awaits. It starts at once and frees itself at its end.
struct Detached {
  struct promise_type : task_detail::PromiseBase {
    static Detached get_return_object() { return {}; }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() {}
  };
};
inline Detached spawn(Task<void> task) { co_await std::move(task); }

// A flag one coroutine waits for and somebody raises. Raised before the wait, it is not lost.
class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;  // A waiter waits for this one.
  Signal& operator=(const Signal&) = delete;

  void raise() {
    raised_ = true;
    if (waiter_) std::exchange(waiter_, {}).resume();
  }
  [[nodiscard]] bool raised() const { return raised_; }
  void reset() { raised_ = false; }

  [[nodiscard]] bool await_ready() const { return raised_; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  static void await_resume() {}

 private:
  bool raised_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace lb::net
