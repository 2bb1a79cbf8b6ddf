// The empty plot: axes, grid, ticks, and from values to places in it.
#pragma once

#include <string>
#include <string_view>

namespace qrerank::proxy::eval {

struct Range {
  double low = 0;
  double high = 1;
  void take(double value);  ///< grows to hold it
};

class PlotFrame {
 public:
  static constexpr double kWidth = 720;
  static constexpr double kHeight = 320;

  /// Both ranges get room around them; an empty one is widened.
  PlotFrame(Range x, Range y);

  [[nodiscard]] double x(double value) const;
  [[nodiscard]] double y(double value) const;
  [[nodiscard]] double left() const;
  [[nodiscard]] double right() const;

  /// The whole <svg> in a box that scrolls where the screen is too narrow to read it, `inside` drawn over the
  /// grid. `title` is for those who cannot see it.
  [[nodiscard]] std::string svg(std::string_view title, std::string_view x_name, std::string_view y_name,
                                const std::string& inside, bool x_ticks = true) const;

 private:
  Range x_;
  Range y_;
};

/// `text` with &, <, > and quotes as HTML and XML want them.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace qrerank::proxy::eval
