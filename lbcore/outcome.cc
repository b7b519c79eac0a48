#include "lbcore/outcome.h"

#include <numeric>

namespace lb {

std::string_view to_string(AttemptFailure failure) {
  switch (failure) {
    case AttemptFailure::connect_failure: return "connect_failure";
    case AttemptFailure::connect_timeout: return "connect_timeout";
    case AttemptFailure::reset: return "reset";
    case AttemptFailure::response_timeout: return "response_timeout";
    case AttemptFailure::idle_timeout: return "idle_timeout";
    case AttemptFailure::invalid_answer: return "invalid_answer";
    case AttemptFailure::drain_timeout: return "drain_timeout";
    case AttemptFailure::request_timeout: return "request_timeout";
    case AttemptFailure::silence: return "silence";
    case AttemptFailure::shortage: return "shortage";
  }
  return "?";
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::success: return "success";
    case Outcome::backend_error: return "backend_error";
    case Outcome::no_backend: return "no_backend";
    case Outcome::over_limit: return "over_limit";
    case Outcome::queue_timeout: return "queue_timeout";
    case Outcome::connect_failure: return "connect_failure";
    case Outcome::reset: return "reset";
    case Outcome::timeout: return "timeout";
    case Outcome::invalid_answer: return "invalid_answer";
    case Outcome::cut: return "cut";
    case Outcome::client_gone: return "client_gone";
  }
  return "?";
}

Outcome outcome_of(AttemptFailure failure) {
  switch (failure) {
    case AttemptFailure::connect_failure: return Outcome::connect_failure;
    case AttemptFailure::connect_timeout: return Outcome::connect_failure;
    case AttemptFailure::reset: return Outcome::reset;
    case AttemptFailure::response_timeout: return Outcome::timeout;
    case AttemptFailure::idle_timeout: return Outcome::timeout;
    case AttemptFailure::invalid_answer: return Outcome::invalid_answer;
    case AttemptFailure::drain_timeout: return Outcome::timeout;
    case AttemptFailure::request_timeout: return Outcome::timeout;
    case AttemptFailure::silence: return Outcome::timeout;
    case AttemptFailure::shortage: return Outcome::connect_failure;
  }
  return Outcome::reset;
}

int status_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::no_backend:
    case Outcome::over_limit:
    case Outcome::queue_timeout:
    case Outcome::connect_failure: return 503;
    case Outcome::reset:
    case Outcome::invalid_answer: return 502;
    case Outcome::timeout: return 504;
    case Outcome::success:
    case Outcome::backend_error:
    case Outcome::cut:
    case Outcome::client_gone: return 0;
  }
  return 0;
}

std::uint64_t OutcomeCounts::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace lb
