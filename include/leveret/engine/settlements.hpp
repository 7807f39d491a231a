#pragma once

#include "leveret/core/pod_vector.hpp"
#include "leveret/core/ring_queue.hpp"

#include <cstddef>
#include <cstdint>

namespace leveret::engine {

/// What the user wants to happen to a delivery.
enum class settlement : std::uint8_t {
    open,    ///< nothing yet
    ack,     ///< basic.ack
    requeue, ///< basic.nack with requeue
    discard, ///< basic.nack without requeue: dropped or dead-lettered
    settled, ///< the broker was told, or needs no telling
};

/// The delivery tags of a channel from the lowest open one on, so that each is settled exactly once and
/// what was settled in a row is told in one frame. RabbitMQ numbers the deliveries of a channel 1, 2,
/// 3...; a broker that leaves gaps is understood as long as they are small.
class settlements {
public:
    /// Tags that were left out are kept note of until all before them are settled. More than this are not
    /// believed: a byte for each is memory that no delivery was sent for.
    static constexpr std::uint64_t max_gap = 65536;

    /// A delivery arrived. False if its tag can't be: not above the last one, or far above it.
    [[nodiscard]] bool arrived(std::uint64_t tag, bool needs_settling)
    {
        if (tag == next_ && !needs_settling && states_.empty()) { // the hot path
            base_ = run_ = ++next_;
            return true;
        }
        return arrived_otherwise(tag, needs_settling);
    }

    /// Settles one delivery; false if it was settled before or never came.
    bool settle(std::uint64_t tag, settlement how)
    {
        if (!is_open(tag))
            return false;
        mark(tag, how);
        if (tag == run_)
            extend_run();
        else
            late_.push_back(tag);
        return true;
    }
    /// Settles this delivery and all open ones before it; returns how many.
    std::size_t settle_up_to(std::uint64_t tag, settlement how)
    {
        std::size_t count = 0;
        for (std::uint64_t t = run_; t <= tag && t < next_; ++t) {
            if (is_open(t)) {
                mark(t, how);
                ++count;
            }
        }
        extend_run();
        return count;
    }
    [[nodiscard]] bool is_open(std::uint64_t tag) const noexcept
    {
        return tag >= base_ && tag - base_ < states_.size() &&
               states_[static_cast<std::size_t>(tag - base_)] == settlement::open;
    }
    /// Deliveries that wait for the user.
    [[nodiscard]] std::size_t open() const noexcept { return open_; }
    [[nodiscard]] bool has_news() const noexcept { return run_ != base_ || !late_.empty(); }
    [[nodiscard]] std::uint64_t last_tag() const noexcept { return next_ - 1; }

    /// Tells what was settled since the last time: calls `emit(tag, multiple, settlement)`, and each call
    /// becomes a frame. Runs from the lowest open tag become one call with `multiple`.
    template <class Emit>
    void flush(Emit&& emit)
    {
        while (base_ < run_) {
            const settlement how = states_.front();
            std::uint64_t last = 0;
            std::size_t count = 0;
            for (; base_ < run_ && (states_.front() == how || states_.front() == settlement::settled);
                 ++base_) {
                if (states_.pop_front() != settlement::settled) {
                    last = base_;
                    ++count;
                }
            }
            if (count != 0)
                emit(last, count > 1, how);
        }
        for (const std::uint64_t tag : late_) {
            if (tag < base_)
                continue;
            settlement& state = states_[static_cast<std::size_t>(tag - base_)];
            if (state == settlement::open || state == settlement::settled)
                continue;
            emit(tag, false, state);
            state = settlement::settled;
        }
        late_.clear();
    }

    /// Everything that is open goes back to the broker by itself: the channel ended or recovers.
    void forget() noexcept
    {
        states_.clear();
        late_.clear();
        base_ = run_ = next_;
        open_ = 0;
    }

private:
    [[nodiscard]] bool arrived_otherwise(std::uint64_t tag, bool needs_settling)
    {
        if (tag < next_ || tag - next_ > max_gap)
            return false;
        if (states_.empty()) {
            base_ = run_ = tag;
        } else {
            if (base_ > last_skipped_)
                skipped_ = 0;
            if (tag - next_ > max_gap - skipped_)
                return false;
            if (tag != next_) {
                skipped_ += tag - next_;
                last_skipped_ = tag - 1;
            }
            for (; next_ < tag; ++next_)
                states_.push_back(settlement::settled);
            extend_run();
        }
        next_ = tag + 1;
        if (needs_settling) {
            states_.push_back(settlement::open);
            ++open_;
        } else if (states_.empty()) {
            base_ = run_ = next_;
        } else {
            states_.push_back(settlement::settled);
            extend_run();
        }
        return true;
    }

    void mark(std::uint64_t tag, settlement how) noexcept
    {
        states_[static_cast<std::size_t>(tag - base_)] = how;
        --open_;
    }
    void extend_run() noexcept
    {
        while (run_ < next_ && states_[static_cast<std::size_t>(run_ - base_)] != settlement::open)
            ++run_;
    }

    ring_queue<settlement> states_; // of the tags from base_ to next_ - 1
    pod_vector<std::uint64_t> late_; // settled while a lower tag was open
    std::uint64_t base_ = 1;          // lowest tag in states_
    std::uint64_t run_ = 1;           // lowest open tag: all in [base_, run_) are settled
    std::uint64_t next_ = 1;          // the tag after the last that arrived
    std::size_t open_ = 0;
    std::uint64_t skipped_ = 0;      // tags in states_ that never arrived, or a few more
    std::uint64_t last_skipped_ = 0; // the highest of them
};

} // namespace leveret::engine
