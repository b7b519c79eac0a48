#include "lbnet/proxy_arrival.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>

#include "lbnet/clock.h"
#include "lbnet/proxy_header.h"
#include "lbnet/session.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

class ProxyArrival final : public Session {
 public:
  ProxyArrival(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
               Place place)
      : worker_(worker),
        current_(std::move(current)),
        place_(std::move(place)),
        down_(std::move(down)),
        id_(worker.add_session(this)),
        accepted_(current_->setup->proxy_header) {}
  ~ProxyArrival() { worker_.remove_session(id_); }

  // False: it failed.
  Task<bool> run() {
    ListenerCounters& counters = worker_.counters(current_->setup->name);
    DeadlineId deadline =
        worker_.set_deadline(DeadlineKind::head, now() + current_->setup->head_timeout, id_);
    take_what_came();
    while (header_.state == ProxyHeader::State::incomplete && !given_up_) {
      const IoError error = co_await down_.readable();
      if (error == 0 && !given_up_) take_what_came();
    }
    worker_.cancel_deadline(deadline);
    if (header_.state == ProxyHeader::State::complete && !given_up_) co_return true;
    if (timed_out_) ++counters.proxy_headers.timeout;
    if (header_.state == ProxyHeader::State::malformed) ++counters.proxy_headers.malformed;
    ++counters.connections;  // Those that succeed are counted later on.
    down_.reset_when_destroyed();
    co_return false;
  }

  // REQUIRES: run() came to true.
  void go_on(const Endpoint& peer) {
    if (header_.way) down_.set_proxied(*header_.way);
    const Endpoint client =
        header_.way ? Endpoint::from(header_.way->source, header_.way->source_port) : peer;
    admit(worker_, std::move(current_), std::move(down_), std::move(place_), client);
  }

  void deadline_passed(DeadlineKind) override {
    timed_out_ = true;
    give_up();
  }
  void drain() override { give_up(); }  // No request has come on it.
  void abort() override { give_up(); }

 private:
  void give_up() {
    given_up_ = true;
    down_.cancel();
  }

  void take_what_came() {
    while (take_a_part()) {
    }
  }

  // What has come of the header goes off the socket, and what follows it stays there: it is looked
  // at before it is taken. Bytes of a header that is not complete are all its own, and so the next
  // look is at new ones only: a wait for them does not end by those that are there. False when
  // there is nothing more to take, now or ever.
  bool take_a_part() {
    std::array<char, kProxyHeaderMax> bytes;  // NOLINT: none is read that was not written.
    const std::size_t before = part_.copy(bytes.data(), part_.size());
    const std::span<char> room = std::span<char>(bytes).subspan(before);
    const ssize_t got = receive(room, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    header_.state = ProxyHeader::State::malformed;
    if (got <= 0) return false;
    const std::size_t seen = before + static_cast<std::size_t>(got);
    header_ = read_proxy_header({bytes.data(), seen}, accepted_);
    if (header_.state == ProxyHeader::State::malformed) return false;
    const bool complete = header_.state == ProxyHeader::State::complete;
    const std::size_t end = complete ? header_.size : seen;
    static_cast<void>(receive(room.first(end - before), 0));
    part_.assign(bytes.data(), end);
    return !complete;
  }
  [[nodiscard]] ssize_t receive(std::span<char> room, int flags) const {
    ssize_t got = -1;
    do {
      got = ::recv(down_.fd(), room.data(), room.size(), flags);
    } while (got < 0 && errno == EINTR);
    return got;
  }

  Worker& worker_;
  std::shared_ptr<const CurrentSetup> current_;
  Place place_;
  Stream down_;  // Is closed before its place is given back.
  SessionId id_;
  AcceptedProxyHeader accepted_;  // As it was when the connection came.
  std::string part_;              // What has come of a header that is not complete yet.
  ProxyHeader header_;
  bool given_up_ = false;
  bool timed_out_ = false;
};

bool trusts(const ListenerSetup& setup, const Endpoint& peer) {
  const auto address = peer.ip();
  return address ? setup.trusted_proxies.trusts(*address)
                 : setup.trusted_proxies.trusts_unix_clients();
}

// The session is there before the arrival is not: a worker that stops waits for one of them.
Task<void> arrive(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                  Place place, Endpoint peer) {
  ProxyArrival arrival(worker, std::move(current), std::move(down), std::move(place));
  const bool good = co_await arrival.run();
  if (good) arrival.go_on(peer);
}

}  // namespace

void start_proxy_arrival(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                         Place place, const Endpoint& peer) {
  if (trusts(*current->setup, peer)) {
    spawn(arrive(worker, std::move(current), std::move(down), std::move(place), peer));
    return;
  }
  ListenerCounters& counters = worker.counters(current->setup->name);
  ++counters.connections;
  ++counters.proxy_headers.untrusted;
  down.reset_when_destroyed();
}

}  // namespace lb::net
