#include "harness/load_client.h"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "harness/load_connection.h"
#include "lbcore/assert.h"
#include "lbsim/scenario/arrivals.h"

namespace lb::harness {
namespace {

using boost::asio::ip::tcp;
using scenario::ClientResult;
using Error = boost::system::error_code;

// So many sends at most before answers are looked at again: a schedule faster than this machine
// must not starve them.
constexpr int kSendsInARow = 64;

std::string request_text(const LoadPlan& plan, const std::string& path) {
  const scenario::RequestShape& shape = plan.load.request;
  const bool has_body = shape.method == "POST" || shape.method == "PUT" || shape.method == "PATCH";
  std::string fields;
  for (const NamedValue& field : shape.headers.items) {
    fields += fmt::format("{}: {}\r\n", field.name, field.value);
  }
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: lbharness\r\n{}{}{}\r\n",
                     shape.method, path, shape.host.empty() ? plan.host : shape.host, fields,
                     has_body ? "Content-Length: 0\r\n" : "",
                     plan.keep_alive ? "" : "Connection: close\r\n");
}

std::vector<std::string> request_texts(const LoadPlan& plan) {
  std::vector<std::string> texts;
  for (const std::string& path : scenario::targets_of(plan.load)) {
    texts.push_back(request_text(plan, path));
  }
  return texts;
}

}  // namespace

class LoadClient::Impl final : public LoadConnectionOwner {
 public:
  Impl(boost::asio::io_context& io, LoadPlan plan, Sink sink);
  ~Impl();

  void start(Clock::time_point start, std::function<void()> on_done);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t retries() const { return retries_; }
  [[nodiscard]] const scenario::Histogram& lateness() const { return lateness_; }

 private:
  using ConnectionPtr = std::shared_ptr<LoadConnection>;
  using RequestNumber = std::uint64_t;  // In order of their intended times, from 0.

  struct Request {
    Duration intended{};  // Of this try; of the
    Duration first{};     // first one its latency is counted from.
    std::uint32_t client = 0;
    std::uint32_t target = 0;
    std::uint32_t tries = 1;
    ConnectionPtr connection{};
    bool ended = false;
    bool resent = false;
  };
  struct Turn {  // Of a client in a closed loop: when it sends next.
    Duration at;
    std::uint32_t client;
    bool operator>(const Turn& other) const { return at > other.at; }
  };

  // Time: one timer, for the next request to be sent and the next patience to end.
  [[nodiscard]] Duration now() const { return Clock::now() - start_; }
  void wake();
  void arm();
  [[nodiscard]] Duration next_send() const;
  [[nodiscard]] Duration next_new() const;
  void take_turn();

  // Requests.
  void send(Request request);
  void dispatch(RequestNumber number, bool fresh_connection);
  void end(RequestNumber number, ClientResult result, std::string_view backend);
  void conclude(const Request& ended, ClientResult result, std::string_view backend);
  void time_out();
  [[nodiscard]] Request& request(RequestNumber number) { return requests_[number - first_]; }

  void on_answer(LoadConnection& connection, RequestNumber number) override;
  void on_broken(LoadConnection& connection, std::optional<RequestNumber> number,
                 bool stale) override;

  boost::asio::io_context& io_;
  const LoadPlan plan_;
  const LoadConnectionPlan connection_plan_;
  const Sink sink_;
  const scenario::ClosedLoop* closed_;

  Clock::time_point start_;
  std::function<void()> on_done_;
  boost::asio::steady_timer timer_;
  Duration armed_ = Duration::max();

  std::optional<scenario::ArrivalProcess> arrivals_;  // Of an open loop,
  std::optional<scenario::Arrival> next_arrival_;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns_;  // or of a closed one.
  Prng think_prng_;

  // All wait equally long, so the front is always the next to lose its patience. Ended ones behind
  // it stay until then.
  std::deque<Request> requests_;
  RequestNumber first_ = 0;      // Number of the front.
  std::deque<Request> resends_;  // In order of time: the wait is always the same.
  std::uint64_t sent_ = 0;
  std::uint64_t retries_ = 0;
  scenario::Histogram lateness_;

  // Of whoever has each place among the clients, the most recently used last.
  [[nodiscard]] std::vector<ConnectionPtr>& idle_of(std::uint32_t client);
  std::vector<std::vector<ConnectionPtr>> idle_;
};

LoadClient::Impl::Impl(boost::asio::io_context& io, LoadPlan plan, Sink sink)
    : io_(io),
      plan_(std::move(plan)),
      connection_plan_{.target = plan_.target,
                       .request_texts = request_texts(plan_),
                       .is_head = plan_.load.request.method == "HEAD",
                       .load_index = plan_.load_index},
      sink_(std::move(sink)),
      closed_(std::get_if<scenario::ClosedLoop>(&plan_.load.arrivals)),
      timer_(io),
      think_prng_(plan_.seed) {
  idle_.resize(scenario::client_count(plan_.load));
}

LoadClient::Impl::~Impl() {
  for (const Request& request : requests_) {
    if (request.connection) request.connection->close();
  }
  for (const auto& connections : idle_) {
    for (const ConnectionPtr& connection : connections) connection->close();
  }
}

void LoadClient::Impl::start(Clock::time_point start, std::function<void()> on_done) {
  start_ = start;
  on_done_ = std::move(on_done);
  if (closed_ != nullptr) {
    for (std::uint32_t client = 0; client < closed_->clients; ++client) {
      turns_.push({Duration::zero(), client});
    }
  } else {
    arrivals_.emplace(plan_.load, plan_.seed);
    next_arrival_ = arrivals_->next();
  }
  arm();
}

Duration LoadClient::Impl::next_new() const {
  Duration at = Duration::max();
  if (next_arrival_) at = next_arrival_->at;
  if (!turns_.empty()) at = turns_.top().at;
  return at < plan_.duration ? at : Duration::max();
}

Duration LoadClient::Impl::next_send() const {
  return resends_.empty() ? next_new() : std::min(next_new(), resends_.front().intended);
}

void LoadClient::Impl::take_turn() {
  if (!resends_.empty() && resends_.front().intended <= next_new()) {
    Request request = std::move(resends_.front());
    resends_.pop_front();
    ++retries_;
    return send(std::move(request));
  }
  ++sent_;
  if (arrivals_) {
    const scenario::Arrival arrival = *std::exchange(next_arrival_, arrivals_->next());
    return send({.intended = arrival.at,
                 .first = arrival.at,
                 .client = arrival.client,
                 .target = arrival.target});
  }
  const Turn turn = turns_.top();
  turns_.pop();
  send({.intended = turn.at, .first = turn.at, .client = turn.client});
}

void LoadClient::Impl::wake() {
  armed_ = Duration::max();
  for (int sends = 0; sends < kSendsInARow && next_send() <= now(); ++sends) take_turn();
  time_out();
  arm();
}

void LoadClient::Impl::arm() {
  Duration next = next_send();
  if (!requests_.empty()) next = std::min(next, requests_.front().intended + plan_.load.timeout);
  if (next == Duration::max()) {
    // Nothing to send and nothing to wait for. Not called from here: the owner may delete us then.
    if (on_done_) boost::asio::post(io_, std::exchange(on_done_, nullptr));
    return;
  }
  if (next >= armed_) return;  // Waking too early only costs a look at the clock.
  armed_ = next;
  timer_.expires_at(start_ + next);
  timer_.async_wait([this](const Error& error) {
    if (!error) wake();
  });
}

void LoadClient::Impl::send(Request request) {
  lateness_.add(now() - request.intended);
  const RequestNumber number = first_ + requests_.size();
  requests_.push_back(std::move(request));
  dispatch(number, false);
}

void LoadClient::Impl::dispatch(RequestNumber number, bool fresh_connection) {
  Request& sending = request(number);
  auto& idle = idle_of(sending.client);
  if (idle.empty() || idle.back()->client() != sending.client || fresh_connection) {
    sending.connection =
        std::make_shared<LoadConnection>(io_, connection_plan_, *this, sending.client);
    return sending.connection->open(number, sending.target);
  }
  sending.connection = std::move(idle.back());
  idle.pop_back();
  sending.connection->send(number, sending.target);
}

// A client that left its place took its connections along.
std::vector<LoadClient::Impl::ConnectionPtr>& LoadClient::Impl::idle_of(std::uint32_t client) {
  auto& idle = idle_[client % idle_.size()];
  while (!idle.empty() && idle.back()->client() < client) {
    idle.back()->close();
    idle.pop_back();
  }
  return idle;
}

void LoadClient::Impl::on_answer(LoadConnection& connection, RequestNumber number) {
  const Head& head = connection.head();
  end(number, head.status < 500 ? ClientResult::ok : ClientResult::server_error, head.backend);
  if (!connection.reusable()) {
    connection.close();
  } else {
    connection.rest();
    idle_of(connection.client()).push_back(connection.shared_from_this());
  }
  arm();
}

void LoadClient::Impl::on_broken(LoadConnection& connection, std::optional<RequestNumber> number,
                                 bool stale) {
  if (!number) {
    std::erase_if(idle_of(connection.client()),
                  [&](const ConnectionPtr& idle) { return idle.get() == &connection; });
    return;
  }
  Request& broken = request(*number);
  if (stale && !broken.resent) {
    broken.resent = true;
    return dispatch(*number, true);
  }
  end(*number, ClientResult::failed, {});
  arm();
}

void LoadClient::Impl::end(RequestNumber number, ClientResult result, std::string_view backend) {
  Request& ending = request(number);
  LB_ASSERT(!ending.ended);
  ending.ended = true;
  ending.connection.reset();
  const scenario::ClientRetries& retries = plan_.load.retries;
  if (result != ClientResult::ok && ending.tries < retries.attempts) {
    resends_.push_back({.intended = now() + retries.backoff,
                        .first = ending.first,
                        .client = ending.client,
                        .target = ending.target,
                        .tries = ending.tries + 1});
  } else {
    conclude(ending, result, backend);
  }
  while (!requests_.empty() && requests_.front().ended) {
    requests_.pop_front();
    ++first_;
  }
}

void LoadClient::Impl::conclude(const Request& ended, ClientResult result,
                                std::string_view backend) {
  const Duration latency = std::max(now() - ended.first, Duration::zero());
  sink_({.sent = ended.first,
         .latency = latency,
         .result = result,
         .backend = backend,
         .load = static_cast<std::uint32_t>(plan_.load_index)});
  if (closed_ == nullptr) return;
  const Duration think = scenario::sample(closed_->think_time, think_prng_);
  turns_.push({now() + think, ended.client});
}

void LoadClient::Impl::time_out() {
  const Duration oldest = now() - plan_.load.timeout;
  while (!requests_.empty() && requests_.front().intended <= oldest) {
    requests_.front().connection->close();
    end(first_, ClientResult::timed_out, {});
  }
}

LoadClient::LoadClient(boost::asio::io_context& io, LoadPlan plan, Sink sink)
    : impl_(std::make_unique<Impl>(io, std::move(plan), std::move(sink))) {}
LoadClient::~LoadClient() = default;

void LoadClient::start(Clock::time_point start, std::function<void()> on_done) {
  impl_->start(start, std::move(on_done));
}
std::uint64_t LoadClient::sent() const { return impl_->sent(); }
std::uint64_t LoadClient::retries() const { return impl_->retries(); }
const scenario::Histogram& LoadClient::lateness() const { return impl_->lateness(); }

}  // namespace lb::harness
