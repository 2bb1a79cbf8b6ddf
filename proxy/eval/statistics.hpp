// What can be said of a mean over few queries: intervals, and whether a difference could be chance. Pure; the
// same seed gives the same numbers on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qrerank::proxy::eval {

inline constexpr int kResamples = 10'000;

struct Interval {
  double low = 0;
  double high = 0;
};

/// 0 of nothing.
[[nodiscard]] double mean_of(std::span<const double> values);

/// The places of the values from the least to the greatest; of equal ones the first comes first.
[[nodiscard]] std::vector<std::size_t> ascending(std::span<const double> values);

/// `share` 0..1 of the way through the sorted values, between two by straight line (NumPy's default). 0 of
/// nothing.
[[nodiscard]] double percentile(std::span<const double> values, double share);

/// 95 % interval of the mean: percentile bootstrap over the values, kResamples times. Equal seeds and lengths
/// draw the same places, so that several measures of the same queries are resampled together.
[[nodiscard]] Interval bootstrap_mean(std::span<const double> values, std::uint64_t seed);

/// Two-sided p of "the mean of these paired differences is 0": the signs are flipped at random (all ways for
/// up to 16 values, else kResamples ways, with one added above and below). 1 of nothing.
[[nodiscard]] double sign_flip_p(std::span<const double> differences, std::uint64_t seed);

/// Holm's correction for having asked so many questions; in the order given.
[[nodiscard]] std::vector<double> holm(std::span<const double> p_values);

}  // namespace qrerank::proxy::eval
