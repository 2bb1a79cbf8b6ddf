#include "proxy/eval/plot_frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace qrerank::proxy::eval {
namespace {

constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kTop = 12;
constexpr double kBottom = 48;
constexpr double kRoom = 0.06;  // of the range, at either end
constexpr int kTicks = 6;       // about so many

Range with_room(Range range) {
  if (!(range.high > range.low)) return {range.low - 0.5, range.high + 0.5};
  const double room = (range.high - range.low) * kRoom;
  return {range.low - room, range.high + room};
}

// 1, 2 or 5 times a power of ten.
double tick_step(const Range& range) {
  const double rough = (range.high - range.low) / kTicks;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double leading = rough / power;
  return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10);
}

std::string tick_text(double value, double step) {
  const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  return fmt::format("{:.{}f}", std::abs(value) < step / 2 ? 0.0 : value, digits);
}

}  // namespace

void Range::take(double value) {
  low = std::min(low, value);
  high = std::max(high, value);
}

PlotFrame::PlotFrame(Range x, Range y) : x_(with_room(x)), y_(with_room(y)) {}

double PlotFrame::x(double value) const {
  return kLeft + (value - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
}

double PlotFrame::y(double value) const {
  return kHeight - kBottom - (value - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
}

double PlotFrame::left() const {
  return kLeft;
}

double PlotFrame::right() const {
  return kWidth - kRight;
}

std::string PlotFrame::svg(std::string_view title, std::string_view x_name, std::string_view y_name,
                           const std::string& inside, bool x_ticks) const {
  std::string out =
      fmt::format("<div class=\"wide\"><svg viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title>\n", kWidth,
                  kHeight, escaped(title));
  const double y_step = tick_step(y_);
  for (double tick = std::ceil(y_.low / y_step) * y_step; tick <= y_.high; tick += y_step) {
    out += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/><text class=\"tick\" "
        "x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        left(), y(tick), right(), y(tick), left() - 8, y(tick) + 4, tick_text(tick, y_step));
  }
  const double x_step = tick_step(x_);
  for (double tick = std::ceil(x_.low / x_step) * x_step; x_ticks && tick <= x_.high; tick += x_step) {
    out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                       x(tick), kHeight - kBottom + 18, tick_text(tick, x_step));
  }
  out += fmt::format("<text class=\"axis\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     (left() + right()) / 2, kHeight - 8, escaped(x_name));
  out += fmt::format(
      "<text class=\"axis\" transform=\"translate(14 {:.1f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>\n",
      (kHeight - kBottom + kTop) / 2, escaped(y_name));
  return out + inside + "</svg></div>\n";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace qrerank::proxy::eval
