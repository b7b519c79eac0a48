#include "lbnet/refusal.h"

#include "lbnet/clock.h"
#include "lbnet/http/head_writer.h"
#include "lbnet/session.h"
#include "lbnet/task.h"
#include "lbnet/worker.h"

namespace lb::net {
namespace {

// For a client to send the request that it does not yet know is refused, and to read that it is.
constexpr Duration kLingerTime = std::chrono::seconds{1};
// They have no places and are bounded here: of more than so many none learns the reason.
constexpr std::size_t kLingeringMax = 64;

class Refusal final : public Session {
 public:
  Refusal(Worker& worker, Stream down)
      : worker_(worker),
        down_(std::move(down)),
        bytes_(worker.buffers()),
        id_(worker.add_session(this)) {
    ++worker.refusals_under_way();
  }
  ~Refusal() {
    worker_.cancel_deadline(deadline_);
    --worker_.refusals_under_way();
    worker_.remove_session(id_);
  }

  // Closing at once would reset the connection when the request comes, and a reset can overtake
  // the answer on its way to the client.
  Task<void> run() {
    http::write_own_response(429, true, false, bytes_);
    const std::string_view answer = bytes_.view();
    if (!down_.try_write({&answer, 1}) || down_.write_error() != 0) co_return;
    down_.shut_down_write();
    deadline_ = worker_.set_deadline(DeadlineKind::idle, now() + kLingerTime, id_);
    IoError error = 0;
    while (error == 0 && !over_) {
      bytes_.clear();
      bytes_.rest();
      error = co_await down_.read_into(bytes_);
    }
  }

  void deadline_passed(DeadlineKind) override { end(); }
  void drain() override { end(); }
  void abort() override { end(); }

 private:
  void end() {
    over_ = true;
    down_.cancel();
  }

  Worker& worker_;
  Stream down_;
  Buffer bytes_;
  SessionId id_;
  DeadlineId deadline_;
  bool over_ = false;
};

Task<void> refuse_politely(Worker& worker, Stream down) {
  Refusal refusal(worker, std::move(down));
  co_await refusal.run();
}

}  // namespace

void refuse_connection(Worker& worker, const ListenerSetup& setup, Stream down) {
  ++worker.counters(setup.name).refused_per_client;
  const bool speaks = setup.protocol == Protocol::http && !setup.tls;
  if (speaks && worker.refusals_under_way() < kLingeringMax) {
    spawn(refuse_politely(worker, std::move(down)));
  } else {
    down.reset_when_destroyed();
  }
}

}  // namespace lb::net
