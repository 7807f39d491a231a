#pragma once

#include "leveret/core/publish_result.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace leveret {

/// One message that a publisher could not get confirmed.
class publish_failure {
public:
    publish_failure() = default;
    publish_failure(std::uint64_t number, publish_result result)
        : number_(number), result_(std::move(result))
    {
    }
    /// The number that publisher::publish gave it.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    /// Rejected, or unroutable with the broker's code and text.
    [[nodiscard]] const publish_result& result() const noexcept { return result_; }

private:
    std::uint64_t number_ = 0;
    publish_result result_;
};

/// What became of the messages of a publisher between two flushes; true if all were confirmed.
class flush_report {
public:
    flush_report() = default;
    flush_report(std::uint64_t confirmed, std::vector<publish_failure> failures)
        : confirmed_(confirmed), failures_(std::move(failures))
    {
    }
    explicit operator bool() const noexcept { return failures_.empty(); }
    [[nodiscard]] std::uint64_t confirmed() const noexcept { return confirmed_; }
    /// In the order in which the broker told them.
    [[nodiscard]] const std::vector<publish_failure>& failures() const noexcept { return failures_; }

private:
    std::uint64_t confirmed_ = 0;
    std::vector<publish_failure> failures_;
};

} // namespace leveret
