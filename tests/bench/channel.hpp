#pragma once

// What the fake server keeps for a channel: confirm numbers, delivery tags and the credit they
// leave under a prefetch limit, and the content that is arriving.

#include <cstdint>
#include <set>
#include <string>

namespace bench {

/// Delivery tags of a channel. One limit for the channel, whatever `global` said: the
/// benchmarks have one consumer a channel, where the two meanings are the same.
class delivery_window {
public:
    void limit(std::uint64_t prefetch) { prefetch_ = prefetch; }

    std::uint64_t next_tag() const { return last_ + 1; }
    void sent(std::uint64_t count) { last_ += count; }

    std::uint64_t credit() const
    {
        if (prefetch_ == 0) {
            return ~std::uint64_t{};
        }
        const auto unsettled = last_ - settled_ - early_.size();
        return unsettled < prefetch_ ? prefetch_ - unsettled : 0;
    }

    void settle(std::uint64_t tag, bool multiple)
    {
        if (multiple) {
            // Tag 0 with multiple means everything so far.
            const auto upto = tag == 0 || tag > last_ ? last_ : tag;
            settled_ = upto > settled_ ? upto : settled_;
            early_.erase(early_.begin(), early_.upper_bound(settled_));
        } else if (tag == settled_ + 1) {
            settled_ = tag;
        } else if (tag > settled_ && tag <= last_) {
            early_.insert(tag);
        }
        while (!early_.empty() && *early_.begin() == settled_ + 1) {
            early_.erase(early_.begin());
            ++settled_;
        }
    }

private:
    std::uint64_t prefetch_ = 0;
    std::uint64_t last_ = 0;
    std::uint64_t settled_ = 0;     // every tag up to here is settled
    std::set<std::uint64_t> early_; // settled ahead of their turn
};

/// A publish whose content has not fully arrived. Only echoes keep their bytes.
struct incoming {
    enum class stage : std::uint8_t { none, header, body };

    stage at = stage::none;
    bool echo = false;
    std::uint64_t left = 0;
    std::string target; // queue the echo goes to, by reply_to
    std::string correlation_id;
    std::string body;
};

struct channel_state {
    bool is_open = false;
    bool confirms = false;
    bool acks_due = false;
    std::uint64_t published = 0;
    std::uint64_t confirmed = 0;
    delivery_window window;
    incoming content;
    std::string last_queue; // what an empty queue name means
};

} // namespace bench
