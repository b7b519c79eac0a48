#include "lbcore/input.h"

namespace lb {
namespace {

struct Apply {
  Balancer& to;
  Instant now;

  Answer operator()(const input::Request& in) { return to.handle_request(now, in.input); }
  Answer operator()(const input::Connected& in) {
    to.handle_connected(now, in.request);
    return {};
  }
  Answer operator()(const input::Progress& in) {
    to.handle_progress(now, in.request);
    return {};
  }
  Answer operator()(const input::Sent& in) {
    to.handle_sent(now, in.request);
    return {};
  }
  Answer operator()(const input::Answered& in) {
    return to.handle_answer(now, in.request, in.status, in.facts);
  }
  Answer operator()(const input::AttemptFailed& in) {
    return to.handle_attempt_failed(now, in.request, in.failure, in.facts);
  }
  Answer operator()(const input::AttemptDue& in) { return to.handle_attempt_due(now, in.request); }
  Answer operator()(const input::Finished& in) {
    to.handle_finished(now, in.request, in.outcome, in.reusable);
    return {};
  }
  Answer operator()(const input::ConnectionClosed& in) {
    to.handle_connection_closed(now, in.connection);
    return {};
  }
  Answer operator()(const input::SpareConnection& in) {
    to.handle_spare_connection(now, in.connection, in.open);
    return {};
  }
  Answer operator()(const input::LoadReported& in) {
    to.handle_load_report(now, in.backend, in.report);
    return {};
  }
  Answer operator()(const input::HealthChanged& in) {
    to.handle_health(now, in.backend, in.state, in.silent);
    return {};
  }
  Answer operator()(const input::EjectionChanged& in) {
    to.handle_ejection(now, in.backend, in.ejected);
    return {};
  }
  Answer operator()(const input::Configured& in) {
    to.handle_config(now, in.plan);
    return {};
  }
  Answer operator()(const input::SiblingLoad& in) {
    to.handle_sibling_load(now, in.sibling, in.loads);
    return {};
  }
  Answer operator()(const input::TimePassed&) {
    to.handle_timeout(now);
    return {};
  }
  Answer operator()(const input::TalliesTaken&) { return to.take_tallies(now); }
};

}  // namespace

Answer apply(Balancer& balancer, Instant now, const Input& input) {
  return std::visit(Apply{balancer, now}, input);
}

}  // namespace lb
