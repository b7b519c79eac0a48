// The table of a comparison.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "lbsim/experiment/comparison.h"

namespace lb::experiment {
namespace {

constexpr std::size_t kNameColumns = 24;
constexpr std::size_t kValueColumns = 19;
constexpr std::size_t kVariantsAbreast = 4;  // 24 + 4 * 19 = 100 columns.

class Table {
 public:
  Table(const Comparison& comparison, const std::vector<std::string>& metrics)
      : comparison_(comparison) {
    for (const std::string& metric : metrics) {
      rows_.push_back({metric, compare_metric(comparison, metric)});
    }
    for (std::size_t i = 0; i < comparison.variants.size(); ++i) {
      if (comparison.variants[i].label.size() + 2 > kValueColumns) letters_ = true;
    }
  }

  std::string text() {
    append_head();
    const std::size_t count = comparison_.variants.size();
    for (std::size_t from = 0; from < count; from += kVariantsAbreast) {
      append_block(from, std::min(from + kVariantsAbreast, count));
    }
    append_foot();
    return std::move(out_);
  }

 private:
  struct Row {
    std::string metric;
    std::vector<std::optional<ComparedFigure>> figures;
  };

  std::string heading(std::size_t variant) const {
    if (!letters_) return comparison_.variants[variant].label;
    if (variant < 26) return std::string(1, static_cast<char>('A' + variant));
    return std::to_string(variant + 1);
  }

  std::size_t seeds() const { return comparison_.variants.front().runs.size(); }

  void append_head() {
    const std::uint64_t first = comparison_.first_seed;
    out_ += fmt::format("{}: {} variants, ", comparison_.scenario, comparison_.variants.size());
    out_ += seeds() == 1
                ? fmt::format("seed {}\n", first)
                : fmt::format("seeds {} to {}, the same for all\n", first, first + seeds() - 1);
    if (!letters_) return;
    for (std::size_t i = 0; i < comparison_.variants.size(); ++i) {
      out_ += fmt::format("  {}  {}\n", heading(i), comparison_.variants[i].label);
    }
  }

  template <class Cell>
  void append_line(const std::string& name, std::size_t from, std::size_t to, Cell&& cell) {
    std::string line = fmt::format("{:<{}}", name, kNameColumns);
    if (name.size() >= kNameColumns) {
      line.append("\n").append(std::string(kNameColumns, ' '));
    }
    for (std::size_t i = from; i < to; ++i) line += fmt::format("{:>{}}", cell(i), kValueColumns);
    line.erase(line.find_last_not_of(' ') + 1);
    out_ += line + '\n';
  }

  void append_block(std::size_t from, std::size_t to) {
    out_ += '\n';
    // The star of the best stands behind the number, so what has none gets a space there.
    append_line("", from, to, [&](std::size_t i) { return heading(i) + ' '; });
    for (const Row& row : rows_) append_row(row, from, to);
    append_line("  expectations", from, to,
                [&](std::size_t i) { return format_expectations(comparison_.variants[i]) + ' '; });
  }

  void append_row(const Row& row, std::size_t from, std::size_t to) {
    append_line("  " + row.metric, from, to, [&](std::size_t i) {
      if (!row.figures[i]) return std::string{"- "};
      const ComparedFigure& figure = *row.figures[i];
      return format_estimate(figure.estimate.mean, figure.estimate.half_width, false) +
             (figure.best ? "*" : " ");
    });
    const auto difference = [&](std::size_t i) -> const Difference* {
      const auto& figure = row.figures[i];
      return figure && figure->difference ? &*figure->difference : nullptr;
    };
    bool any = false;
    bool doubtful = false;
    for (std::size_t i = from; i < to; ++i) {
      any = any || difference(i) != nullptr;
      doubtful = doubtful || (difference(i) != nullptr && !difference(i)->significant);
    }
    if (!any) return;
    append_line("    difference", from, to, [&](std::size_t i) {
      const Difference* d = difference(i);
      return d == nullptr ? std::string{} : format_estimate(d->mean, d->half_width, true) + ' ';
    });
    if (!doubtful || seeds() < 2) return;
    append_line("", from, to, [&](std::size_t i) {
      const Difference* d = difference(i);
      return std::string{d == nullptr || d->significant ? "" : "not significant "};
    });
  }

  void append_foot() {
    out_ += "\n";
    if (seeds() < 2) {
      out_ += "One seed alone gives no interval and no verdict; give --seeds 2 or more.\n";
      return;
    }
    out_ += fmt::format(
        "Means with 95 % confidence intervals over the seeds; * is the best mean of its row.\n"
        "A difference is that from {}, seed by seed. It is not significant when its interval\n"
        "covers 0. With several of them in a row, intervals are widened by Holm's correction: the\n"
        "chance that any one of a row is significant by luck is at most 5 %.\n",
        heading(0));
  }

  const Comparison& comparison_;
  std::vector<Row> rows_;
  bool letters_ = false;  // Labels are too long to stand above columns.
  std::string out_;
};

}  // namespace

// Two digits of the interval.
std::string format_estimate(double mean, const std::optional<double>& half_width, bool sign) {
  const double scale = half_width && *half_width > 0 ? *half_width : std::abs(mean) / 100;
  int decimals = 0;
  if (scale > 0) decimals = static_cast<int>(std::clamp(1 - std::floor(std::log10(scale)), 0., 6.));
  if (mean == std::floor(mean) && (!half_width || *half_width == 0)) decimals = 0;
  const std::string number = sign && mean != 0 ? fmt::format("{:+.{}f}", mean, decimals)
                                               : fmt::format("{:.{}f}", mean, decimals);
  return half_width ? fmt::format("{} ± {:.{}f}", number, *half_width, decimals) : number;
}

std::string format_expectations(const ComparedVariant& variant) {
  const std::vector<RunResult>& runs = variant.runs;
  if (runs.front().verdicts.empty()) return "none";
  const auto passed =
      std::count_if(runs.begin(), runs.end(), [](const RunResult& run) { return run.passed; });
  return fmt::format("{} of {} runs met", passed, runs.size());
}

std::string to_text(const Comparison& comparison, const std::vector<std::string>& metrics) {
  return Table(comparison, metrics).text();
}

}  // namespace lb::experiment
