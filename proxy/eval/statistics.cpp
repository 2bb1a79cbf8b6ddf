#include "proxy/eval/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace qrerank::proxy::eval {
namespace {

constexpr std::size_t kAllWays = 16;  // 2^16 sign patterns are tried one by one

// std::uniform_int_distribution differs between libraries; this does not.
std::size_t below(std::mt19937_64& random, std::size_t bound) {
  return static_cast<std::size_t>((static_cast<unsigned __int128>(random()) * bound) >> 64);
}

// Sums of the same terms in another order may differ in the last bits: those are ties.
double slack(std::span<const double> values) {
  double sizes = 0;
  for (const double value : values) sizes += std::abs(value);
  return sizes * 1e-12;
}

double exact_sign_flip(std::span<const double> differences, double least) {
  const std::size_t ways = std::size_t{1} << differences.size();
  std::size_t as_far = 0;
  for (std::size_t pattern = 0; pattern < ways; ++pattern) {
    double sum = 0;
    for (std::size_t at = 0; at < differences.size(); ++at)
      sum += (pattern >> at & 1) != 0 ? -differences[at] : differences[at];
    as_far += std::abs(sum) >= least;
  }
  return static_cast<double>(as_far) / static_cast<double>(ways);
}

}  // namespace

double mean_of(std::span<const double> values) {
  return values.empty()
             ? 0
             : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<std::size_t> ascending(std::span<const double> values) {
  std::vector<std::size_t> places(values.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::sort(places, [&](std::size_t one, std::size_t other) {
    return values[one] != values[other] ? values[one] < values[other] : one < other;
  });
  return places;
}

double percentile(std::span<const double> values, double share) {
  if (values.empty()) return 0;
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto lower = static_cast<std::size_t>(place);
  const auto upper = std::min(lower + 1, sorted.size() - 1);
  return sorted[lower] + (place - static_cast<double>(lower)) * (sorted[upper] - sorted[lower]);
}

Interval bootstrap_mean(std::span<const double> values, std::uint64_t seed) {
  if (values.empty()) return {};
  std::mt19937_64 random(seed);
  std::vector<double> means(kResamples);
  for (double& mean : means) {
    double sum = 0;
    for (std::size_t draw = 0; draw < values.size(); ++draw) sum += values[below(random, values.size())];
    mean = sum / static_cast<double>(values.size());
  }
  return {percentile(means, 0.025), percentile(means, 0.975)};
}

double sign_flip_p(std::span<const double> differences, std::uint64_t seed) {
  if (differences.empty()) return 1;
  const double seen = std::abs(std::accumulate(differences.begin(), differences.end(), 0.0));
  const double least = seen - slack(differences);
  if (differences.size() <= kAllWays) return exact_sign_flip(differences, least);
  std::mt19937_64 random(seed);
  int as_far = 0;
  for (int round = 0; round < kResamples; ++round) {
    double sum = 0;
    std::uint64_t signs = 0;
    for (std::size_t at = 0; at < differences.size(); ++at) {
      signs = at % 64 == 0 ? random() : signs >> 1;
      sum += (signs & 1) != 0 ? -differences[at] : differences[at];
    }
    as_far += std::abs(sum) >= least;
  }
  return (as_far + 1.0) / (kResamples + 1.0);
}

std::vector<double> holm(std::span<const double> p_values) {
  const auto order = ascending(p_values);
  std::vector<double> corrected(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double here = p_values[order[rank]] * static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, here));
    corrected[order[rank]] = largest;
  }
  return corrected;
}

}  // namespace qrerank::proxy::eval
