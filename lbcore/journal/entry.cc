#include "lbcore/journal/entry.h"

#include <utility>

#include "lbcore/config/cluster_text.h"
#include "lbcore/journal/codec.h"

namespace lb::journal {
namespace {

constexpr std::uint32_t kAttemptFailures = 10;
constexpr std::uint32_t kPickReasons = 10;
constexpr std::uint32_t kKinds = 3;  // Of starts and of next steps.
constexpr std::uint32_t kActions = 5;
constexpr std::uint32_t kHealthStates = 3;

// -- Parts

template <class Codec>
void code(Codec& codec, AttemptFacts& facts) {
  codec.field(facts.request_sent);
  codec.field(facts.idempotent);
  codec.field(facts.body_replayable);
  codec.field(facts.answer_begun);
}

template <class Codec>
void code(Codec& codec, FailureRun& run) {
  codec.field(run.leading);
  codec.field(run.trailing);
  codec.field(run.longest);
  codec.field(run.broken);
}

template <class Codec>
void code(Codec& codec, Tally& tally) {
  code(codec, tally.backend);
  codec.field(tally.successes);
  codec.field(tally.failures);
  code(codec, tally.failure_run);
  code(codec, tally.gateway_run);
}

template <class Codec>
void code(Codec& codec, ClusterPlan& plan) {
  code(codec, plan.id);
  std::string text;
  if constexpr (!Codec::kReads) text = config::cluster_text(plan.config);
  codec.field(text);
  if constexpr (Codec::kReads) {
    const auto config = config::parse_cluster_text(text);
    config ? plan.config = *config : (codec.fail(), ClusterConfig{});
  }
  code_list(codec, plan.backend_ids, [&](BackendId& id) { code(codec, id); });
  code_list(codec, plan.health, [&](HealthState& state) { code(codec, state, kHealthStates); });
  std::vector<std::uint8_t> ejected(plan.ejected.begin(), plan.ejected.end());
  code_list(codec, ejected, [&](std::uint8_t& flag) { codec.field(flag); });
  plan.ejected.assign(ejected.begin(), ejected.end());
  const std::size_t count = plan.config.backends.size();
  if constexpr (Codec::kReads) {
    if (plan.backend_ids.size() != count || plan.health.size() != count) codec.fail();
  }
}

template <class Codec>
void code(Codec& codec, Start& start) {
  code(codec, start.kind, kKinds);
  code(codec, start.outcome, kOutcomeCount);
  code(codec, start.request);
  if (start.kind != Start::Kind::assigned) return;
  Assignment& assignment = start.assignment;
  assignment.request = start.request;
  code(codec, assignment.backend);
  code(codec, assignment.connection);
  codec.field(assignment.reused);
  code(codec, assignment.reason, kPickReasons);
  codec.field(assignment.attempt);
  codec.field(assignment.eligible_count);
  codec.field(assignment.new_session);
}

template <class Codec>
void code(Codec& codec, NextStep& step) {
  code(codec, step.kind, kKinds);
  code(codec, step.outcome, kOutcomeCount);
}

template <class Codec>
void code(Codec& codec, Action& action) {
  code(codec, action.kind, kActions);
  code(codec, action.request);
  code(codec, action.connection);
  code(codec, action.failure, kAttemptFailures);
  code(codec, action.backend);
}

// -- Inputs

template <class Codec>
void code(Codec& codec, input::Request& in) {
  codec.field(in.input.key);
  codec.field(in.input.pooled);
  codec.field(in.input.repeatable);
  codec.field(in.input.priority);
  code_optional(codec, in.input.session, [&](BackendId& id) { code(codec, id); });
  if constexpr (Codec::kReads) {
    if (in.input.priority >= AdmissionQueue::kClassCount) codec.fail();
  }
}
template <class Codec, class In>
requires(requires(In& in) { in.request; } && sizeof(In) == sizeof(RequestId))  // Name one, no more.
    void code(Codec& codec, In& in) {
  code(codec, in.request);
}
template <class Codec>
void code(Codec& codec, input::Answered& in) {
  code(codec, in.request);
  codec.field(in.status);
  code(codec, in.facts);
}
template <class Codec>
void code(Codec& codec, input::AttemptFailed& in) {
  code(codec, in.request);
  code(codec, in.failure, kAttemptFailures);
  code(codec, in.facts);
}
template <class Codec>
void code(Codec& codec, input::Finished& in) {
  code(codec, in.request);
  code(codec, in.outcome, kOutcomeCount);
  codec.field(in.reusable);
}
template <class Codec>
void code(Codec& codec, input::ConnectionClosed& in) {
  code(codec, in.connection);
}
template <class Codec>
void code(Codec& codec, input::SpareConnection& in) {
  code(codec, in.connection);
  codec.field(in.open);
}
template <class Codec>
void code(Codec& codec, input::LoadReported& in) {
  code(codec, in.backend);
  codec.field(in.report.in_flight);
  codec.field(in.report.latency);
}
template <class Codec>
void code(Codec& codec, input::HealthChanged& in) {
  code(codec, in.backend);
  code(codec, in.state, kHealthStates);
  codec.field(in.silent);
}
template <class Codec>
void code(Codec& codec, input::EjectionChanged& in) {
  code(codec, in.backend);
  codec.field(in.ejected);
}
template <class Codec>
void code(Codec& codec, input::Configured& in) {
  code(codec, in.plan);
}
template <class Codec>
void code(Codec& codec, input::SiblingLoad& in) {
  codec.field(in.sibling);
  if constexpr (Codec::kReads) {
    if (in.sibling > 1U << 16U) codec.fail();  // It sizes a table.
  }
  code_list(codec, in.loads, [&](BackendLoad& load) {
    code(codec, load.backend);
    codec.field(load.in_flight);
  });
}
template <class Codec>
void code(Codec&, input::TimePassed&) {}
template <class Codec>
void code(Codec&, input::TalliesTaken&) {}

// -- Which of them

template <class Codec, class... T>
void code(Codec& codec, std::variant<T...>& variant);

template <class Codec>
void code(Codec& codec, Birth& birth) {
  code(codec, birth.plan);
  codec.field(birth.seed);
}

template <class Codec>
void code(Codec& codec, Said& said) {
  code(codec, said.input);
  code(codec, said.answer);
}

// Fills the variant with alternative number `index`; false when there is none.
template <class Variant, std::size_t... I>
bool emplace(Variant& variant, std::size_t index, std::index_sequence<I...>) {
  return ((index == I ? (static_cast<void>(variant.template emplace<I>()), true) : false) || ...);
}

template <class Codec, class... T>
void code(Codec& codec, std::variant<T...>& variant) {
  std::uint64_t index = variant.index();
  codec.field(index);
  if constexpr (Codec::kReads) {
    if (!emplace(variant, index, std::index_sequence_for<T...>{})) return codec.fail();
  }
  std::visit(
      [&](auto& value) {
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
        } else if constexpr (std::is_same_v<Value, std::vector<Tally>>) {
          code_list(codec, value, [&](Tally& tally) { code(codec, tally); });
        } else {
          code(codec, value);
        }
      },
      variant);
}

template <class Codec>
void code_entry(Codec& codec, Entry& entry, Instant last) {
  codec.field(entry.brain);
  // Modulo 2^64: the times of a hostile file may lie further apart than a Duration can tell.
  const auto count = [](Instant at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
  };
  Duration since{static_cast<std::int64_t>(count(entry.at) - count(last))};
  codec.field(since);
  const auto sum = count(last) + static_cast<std::uint64_t>(since.count());
  entry.at = Instant{Duration{static_cast<std::int64_t>(sum)}};
  code(codec, entry.what);
}

}  // namespace

std::string encode(const Entry& entry, Instant last) {
  Encoder encoder;
  Entry copy = entry;
  code_entry(encoder, copy, last);
  return encoder.take();
}

std::optional<Entry> decode(std::string_view bytes, Instant last) {
  Decoder decoder(bytes);
  Entry entry;
  entry.at = last;
  code_entry(decoder, entry, last);
  if (decoder.bad() || decoder.left() > 0) return std::nullopt;
  return entry;
}

}  // namespace lb::journal
