// Answers that do not come whole: they break off behind their head, or drip, or both. A backend
// sends the head when the service is over and the parts of the body after it, all in order; its
// place is free when the last one is sent, whether or not anyone still listens.
#include <algorithm>
#include <utility>

#include "lbcore/subject.h"
#include "lbsim/simulation.h"

namespace lb::sim {

void Simulation::begin_answer(std::uint32_t backend, AttemptId id, int status) {
  BackendModel& model = backends_[backend];
  Attempt& attempt = attempts_.at(id);
  const bool truncated = model.draw_truncation();
  attempt.status = static_cast<std::uint16_t>(status);
  if (workloads_[attempt.workload].bodiless) return end_answer(backend, id);
  if (truncated) {
    attempt.ending = model.truncates_by_reset() ? Attempt::Ending::reset : Attempt::Ending::closed;
  }
  send_part(id, {status, true});
  if (model.drips() == Duration::zero()) return end_answer(backend, id);
  attempt.gap = model.drips() / scenario::kDripParts;
  attempt.parts_left = truncated ? scenario::kDripParts / 2 : scenario::kDripParts;
  arm_part(backend, id);
}

// By the event that ended the service.
void Simulation::arm_part(std::uint32_t backend, AttemptId id) {
  push(attempts_.at(id).gap, {.kind = EventKind::service_done,
                              .a = backend,
                              .b = backends_[backend].epoch(),
                              .c = subject_of(id)});
}

void Simulation::go_on_dripping(std::uint32_t backend, AttemptId id) {
  if (backends_[backend].hold(subject_of(id))) return;
  Attempt& attempt = attempts_.at(id);
  if (--attempt.parts_left == 0) return end_answer(backend, id);
  send_part(id, {attempt.status, true});
  arm_part(backend, id);
}

void Simulation::end_answer(std::uint32_t backend, AttemptId id) {
  const Attempt& attempt = attempts_.at(id);
  BackendModel& model = backends_[backend];
  model.leave();
  model.note_latency(attempt.found, now_ - attempt.arrived);
  send_part(id, {attempt.ending == Attempt::Ending::whole ? attempt.status : 0});
  serve_waiting(backend);
  weigh(backend);
}

void Simulation::send_part(AttemptId id, Words words) {
  Attempt& attempt = attempts_.at(id);
  const Instant arrives = now_ + scenario_.network.one_way +
                          backends_[attempt.backend].answer_delay() +
                          paths_.draw_loss_delay(attempt.backend, attempt.daemon);
  attempt.heard_by = std::max(attempt.heard_by, arrives);
  push(attempt.heard_by - now_,
       {.kind = EventKind::daemon_hears, .a = id.slot, .b = id.generation, .c = words.pack()});
}

void Simulation::daemon_hears_part(AttemptId id, Words words) {
  Attempt& attempt = attempts_.at(id);
  if (!attempt.daemon_waits) {
    if (!words.more) attempts_.erase(id);
    return;
  }
  const SimRequestId request_id = attempt.request;
  SimRequest& request = requests_.at(request_id);
  Balancer& balancer = *brains_[request.brain].balancer;
  if (!attempt.answer_begun) {
    request.answered_by = attempt.backend;
    if (attempt.new_session) remember_session(request, attempt);
    const NextStep step =
        balancer.handle_answer(now_, request.brain_request, words.status, facts_of(attempt));
    attempt.answer_begun = true;
    touch(request.brain);
    if (step.kind == NextStep::Kind::deliver) return;
    end_attempt(id);
    return next_step(request_id, step, words.status);
  }
  if (words.more) {
    balancer.handle_progress(now_, request.brain_request);
    return touch(request.brain);
  }
  if (words.status > 0) {
    end_attempt(id);
    next_step(request_id, {NextStep::Kind::deliver}, words.status);
  } else if (workloads_[attempt.workload].pooled) {
    attempt_failed(id, AttemptFailure::reset);
  } else {
    end_session(id);
  }
  attempts_.erase(id);
}

// Bytes end when they end: whoever only carries them cannot tell that there should be more.
void Simulation::end_session(AttemptId id) {
  const Attempt& attempt = attempts_.at(id);
  const SimRequestId request_id = attempt.request;
  SimRequest& request = requests_.at(request_id);
  const bool closed = attempt.ending == Attempt::Ending::closed;
  end_attempt(id);
  brains_[request.brain].balancer->handle_finished(now_, request.brain_request,
                                                   closed ? Outcome::success : Outcome::cut, false);
  request.daemon_has_it = false;
  request.answered_by = kNobody;
  answer_client(request_id, 0);
  touch(request.brain);
}

}  // namespace lb::sim
