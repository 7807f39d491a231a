#pragma once

#include "leveret/core/pod_vector.hpp"
#include "leveret/core/ring_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

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
///
/// A byte is kept for each tag from the lowest open one on. One that stays open while many others pass is put
/// aside, so that its neighbours cost nothing; while there are such, nothing is told for several tags at
/// once, which would settle it too.
class settlements {
public:
    /// Tags from the lowest open one on, above which that is put aside.
    static constexpr std::size_t max_span = 65536;
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
        if (tag < base_) {
            settle_aside(aside_at(tag), how);
            return true;
        }
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
        for (; !aside_.empty() && aside_.front() <= tag; ++count)
            settle_aside(0, how);
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
        if (tag < base_)
            return aside_at(tag) != aside_.size();
        return tag - base_ < states_.size() &&
               states_[static_cast<std::size_t>(tag - base_)] == settlement::open;
    }
    /// Deliveries that wait for the user.
    [[nodiscard]] std::size_t open() const noexcept { return open_; }
    [[nodiscard]] bool has_news() const noexcept { return run_ != base_ || !late_.empty() || !told_late_.empty(); }
    [[nodiscard]] std::uint64_t last_tag() const noexcept { return next_ - 1; }

    /// The broker may hold tags open that were settled here: a transaction was rolled back. Until `forget`
    /// nothing is told for several tags at once.
    void lower_may_be_open() noexcept { lower_open_ = true; }

    /// Tells what was settled since the last time: calls `emit(tag, multiple, settlement)`, and each call
    /// becomes a frame. Runs from the lowest open tag become one call with `multiple`.
    template <class Emit>
    void flush(Emit&& emit)
    {
        for (const aside& a : told_late_)
            emit(a.tag, false, a.how);
        told_late_.clear();
        while (base_ < run_ && (lower_open_ || !aside_.empty())) {
            const settlement how = states_.pop_front();
            const std::uint64_t tag = base_++; // before what emit may make arrive
            if (how != settlement::settled)
                emit(tag, false, how);
        }
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
            emit(tag, false, std::exchange(state, settlement::settled)); // which may make others arrive
        }
        late_.clear();
    }

    /// Everything that is open goes back to the broker by itself: the channel ended or recovers.
    void forget() noexcept
    {
        states_.clear();
        late_.clear();
        aside_.clear();
        told_late_.clear();
        lower_open_ = false;
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
            put_aside();
        } else if (states_.empty()) {
            base_ = run_ = next_;
        } else {
            states_.push_back(settlement::settled);
            extend_run();
            put_aside();
        }
        return true;
    }

    void put_aside()
    {
        while (states_.size() > max_span && base_ == run_) {
            aside_.push_back(base_);
            static_cast<void>(states_.pop_front());
            run_ = ++base_;
            extend_run();
            for (; base_ < run_ && states_.front() == settlement::settled; ++base_)
                static_cast<void>(states_.pop_front());
        }
    }
    /// Where the tag stands in `aside_`, or its size.
    [[nodiscard]] std::size_t aside_at(std::uint64_t tag) const noexcept
    {
        std::size_t first = 0;
        for (std::size_t end = aside_.size(); first < end;) {
            const std::size_t middle = first + (end - first) / 2;
            if (aside_[middle] == tag)
                return middle;
            if (aside_[middle] < tag)
                first = middle + 1;
            else
                end = middle;
        }
        return aside_.size();
    }
    void settle_aside(std::size_t at, settlement how)
    {
        told_late_.push_back({aside_[at], how});
        aside_.erase_at(at);
        --open_;
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

    struct aside {
        std::uint64_t tag;
        settlement how;
    };

    pod_vector<std::uint64_t> aside_; // open tags below base_, in order
    pod_vector<aside> told_late_;     // settled of those, and not told yet
    bool lower_open_ = false;
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
