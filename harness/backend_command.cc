#include "harness/backend_command.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "harness/errors.h"
#include "harness/fault_command.h"
#include "lbcore/config/identity_fields.h"

namespace lb::harness {
namespace {

using Error = boost::system::error_code;

// Reads faults from standard input. Waits for it instead of reading asynchronously, because Asio
// would make the descriptor non-blocking, and with it the terminal that a shell shares with us.
class FaultLines {
 public:
  FaultLines(boost::asio::io_context& io, FakeBackend& backend, std::function<void()> on_end)
      : input_(io, ::dup(STDIN_FILENO)), backend_(backend), on_end_(std::move(on_end)) {
    wait();
  }

 private:
  void wait() {
    input_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const Error& error) {
      if (error == boost::asio::error::operation_aborted) return;
      if (read_some()) return wait();
      input_.close();
      on_end_();
    });
  }

  // False at the end of the input. A plain file cannot be waited for, but always be read.
  bool read_some() {
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(input_.native_handle(), bytes.data(), bytes.size());
    if (count <= 0) return false;
    pending_.append(bytes.data(), static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = pending_.find('\n')) != std::string::npos;) {
      take(pending_.substr(0, end));
      pending_.erase(0, end + 1);
    }
    return true;
  }

  void take(const std::string& line) {
    if (line.empty()) return;
    const auto fault = parse_fault(line);
    if (!fault) {
      fmt::print(stderr, "lbharness backend: expected {}; found \"{}\"\n", kFaultForms, line);
    } else if (fault->kind == scenario::FaultKind::hang) {
      ::raise(SIGSTOP);
    } else {
      backend_.apply(*fault);
    }
  }

  boost::asio::posix::stream_descriptor input_;
  FakeBackend& backend_;
  std::function<void()> on_end_;
  std::string pending_;
};

}  // namespace

std::string format_proxy_protocol(SentProxyHeader version) {
  for (const auto& [known, word] : config::EnumWords<SentProxyHeader>::words) {
    if (known == version) return word;
  }
  return {};
}

std::optional<SentProxyHeader> parse_proxy_protocol(std::string_view text) {
  for (const auto& [version, word] : config::EnumWords<SentProxyHeader>::words) {
    if (text == word) return version;
  }
  return std::nullopt;
}

int run_backend(const BackendCommand& command) try {
  // A backend in the background of a shell may not read the terminal; it just gets no faults then.
  std::signal(SIGTTIN, SIG_IGN);
  boost::asio::io_context io(1);
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const Error&, int) { io.stop(); });
  FakeBackend backend(io, command.options);
  fmt::print("listening on 127.0.0.1:{}\n", backend.port());
  std::fflush(stdout);
  for (const scenario::Fault& fault : command.faults) {
    if (fault.kind == scenario::FaultKind::hang) {
      ::raise(SIGSTOP);
    } else {
      backend.apply(fault);
    }
  }
  FaultLines lines(io, backend, [&] {
    if (command.controlled) io.stop();
  });
  io.run();
  return kExitDone;
} catch (const boost::system::system_error& error) {
  throw HarnessError(kExitEnvironment,
                     fmt::format("cannot listen on 127.0.0.1:{}: {}; free the port or take another "
                                 "with --port",
                                 command.options.port, error.code().message()));
}

}  // namespace lb::harness
