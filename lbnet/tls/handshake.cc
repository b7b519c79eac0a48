#include "lbnet/tls/handshake.h"

#include "lbnet/clock.h"
#include "lbnet/session.h"
#include "lbnet/tls/server_context.h"
#include "lbnet/tls/tls_connection.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

class Handshake final : public Session {
 public:
  Handshake(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down)
      : worker_(worker),
        current_(std::move(current)),
        down_(std::move(down)),
        id_(worker.add_session(this)),
        counters_(worker.counters(current_->setup->name)) {
    ++counters_.tls.handshakes_active;
  }
  ~Handshake() {
    --counters_.tls.handshakes_active;
    worker_.remove_session(id_);
  }

  // What it takes time for goes on in `down`. False: it failed.
  Task<bool> run() {
    const std::shared_ptr<const ListenerSetup> setup = current_->setup;
    DeadlineId deadline =
        worker_.set_deadline(DeadlineKind::head, now() + setup->head_timeout, id_);
    down_.start_tls(setup->tls->accept());
    const IoError error = co_await down_.handshake();
    worker_.cancel_deadline(deadline);
    const bool good = error == 0 && !given_up_;
    if (good) {
      ++(down_.tls_facts()->resumed ? counters_.tls.resumed : counters_.tls.full);
    } else {
      ++counters_.tls.failed;
      ++counters_.connections;  // Those that succeed are counted by their sessions.
    }
    co_return good;
  }
  Stream take() { return std::move(down_); }

  void deadline_passed(DeadlineKind) override { give_up(); }
  void drain() override { give_up(); }  // No request has come on it.
  void abort() override { give_up(); }

 private:
  void give_up() {
    given_up_ = true;
    down_.cancel();
  }

  Worker& worker_;
  std::shared_ptr<const CurrentSetup> current_;
  Stream down_;
  SessionId id_;
  ListenerCounters& counters_;
  bool given_up_ = false;
};

// The session is there before the handshake is not: a worker that stops waits for one of them.
Task<void> shake_hands(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                       Endpoint peer) {
  Handshake handshake(worker, current, std::move(down));
  const bool good = co_await handshake.run();
  if (good) start_session(worker, std::move(current), handshake.take(), peer);
}

}  // namespace

void start_handshake(Worker& worker, std::shared_ptr<const CurrentSetup> current, Stream down,
                     const Endpoint& peer) {
  spawn(shake_hands(worker, std::move(current), std::move(down), peer));
}

}  // namespace lb::net
