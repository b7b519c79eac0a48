// Collector: takes what became of every request, and what a world saw of itself, and makes the
// report of them. Both worlds feed it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lbsim/scenario/cut.h"
#include "lbsim/scenario/part.h"
#include "lbsim/scenario/part_cuts.h"
#include "lbsim/scenario/recovery.h"
#include "lbsim/scenario/report.h"
#include "lbsim/scenario/standing.h"
#include "lbsim/scenario/time_series.h"

namespace lb::scenario {

class Collector {
 public:
  // With `over_time` the report has a TimeSeries.
  explicit Collector(const Scenario& scenario, bool over_time = false);

  void add(const Sample& sample) { add(sample, place_of(sample.backend)); }
  // The same from one who has asked for the place of the backend before. O(1) for each part of the
  // run that somebody asks about.
  void add(const Sample& sample, std::size_t place);
  // A number for each name; kNobody for none.
  [[nodiscard]] std::size_t place_of(std::string_view backend);
  static constexpr std::size_t kNobody = Part::kNobody;

  // For worlds that can look: how it stands, at every interval of the TimeSeries.
  [[nodiscard]] TimeSeriesCollector* over_time() { return series_ ? &*series_ : nullptr; }

  // When a part of the run begins or ends, in order; the world has to say how it stands at each of
  // them, if it can.
  [[nodiscard]] const std::vector<Duration>& cut_times() const { return cut_times_; }
  void cut(std::size_t number, Cut cut) { cuts_[number] = std::move(cut); }

  // For worlds that know who gets requests: call it once to say so, and note every change.
  [[nodiscard]] Standing& follow_standing() { return standing_ ? *standing_ : standing_.emplace(); }

  // Of all that were added, warm-up included: how many, and how long they took in all, in
  // nanoseconds.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t time_in_system() const { return time_in_system_; }

  [[nodiscard]] Report finish(std::string world, const BalancerTotals& balancer);

 private:
  // What an expectation is judged by.
  struct Question {
    std::size_t part = 0;
    std::optional<Recovery> recovery;
  };
  struct Finding {
    double value = 0;
    std::string remark;  // Why there is none.
    bool measured = true;
  };

  std::size_t part_of(Duration from, std::optional<Duration> to, std::uint32_t load,
                      bool by_backend);
  [[nodiscard]] Question question_of(const Expectation& expectation);
  [[nodiscard]] const Cut* cut_at(Duration time) const;
  [[nodiscard]] bool is_steady(const Part& part) const;
  [[nodiscard]] std::map<std::string, Series> backends_of(const Part& part) const;
  [[nodiscard]] PartCuts cuts_of(const Part& part) const;
  void add_standing(Report& report) const;
  void add_warnings(Report& report) const;

  // collector_summary.cc
  [[nodiscard]] Summary slice_summary_of(const Part& part) const;
  [[nodiscard]] Summary summary_of(const Part& part) const;
  [[nodiscard]] std::map<std::string, Summary::OfBackend> shares_of(const Part& part) const;
  [[nodiscard]] std::map<std::string, Estimate> fairness_of(const Part& part) const;
  [[nodiscard]] std::optional<Levels> levels_of(const Part& part) const;
  [[nodiscard]] std::optional<Effort> effort_of(const Part& part) const;

  // collector_findings.cc
  [[nodiscard]] ExpectationResult judge(const Expectation& expectation, const Question& question,
                                        const BalancerTotals& balancer) const;
  [[nodiscard]] Finding find(const Expectation& expectation, const Question& question,
                             const BalancerTotals& balancer) const;
  [[nodiscard]] Finding find_clients(const Expectation& expectation,
                                     const Question& question) const;
  [[nodiscard]] Finding find_balancer(const Expectation& expectation, const Part& part,
                                      const BalancerTotals& whole_run) const;
  [[nodiscard]] Finding find_standing(const Expectation& expectation, const Part& part) const;
  [[nodiscard]] Finding find_level(const Expectation& expectation, const Part& part) const;
  [[nodiscard]] std::size_t place_in(const std::string& backend) const;

  const Scenario& scenario_;
  std::uint64_t count_ = 0;
  std::uint64_t time_in_system_ = 0;
  std::vector<std::string> names_;  // Of backends, by place.
  std::map<std::string, std::size_t, std::less<>> places_;
  // Of all backends the scenario knows: their cluster, and their weight in it.
  std::vector<Scenario::Member> members_;
  std::vector<Part> parts_;  // The first one is all after the warm-up.
  std::vector<std::size_t> load_parts_;
  std::vector<std::size_t> window_parts_;
  std::vector<Question> questions_;      // One an expectation.
  std::vector<std::size_t> recoveries_;  // The questions that have one.
  std::vector<Duration> cut_times_;
  std::vector<std::optional<Cut>> cuts_;
  std::optional<Standing> standing_;
  std::optional<TimeSeriesCollector> series_;
};

}  // namespace lb::scenario
