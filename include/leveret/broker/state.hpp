#pragma once

#include "leveret/broker/limits.hpp"
#include "leveret/broker/object_pool.hpp"
#include "leveret/broker/stored_message.hpp"
#include "leveret/core/deadlines.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/ring_queue.hpp"
#include "leveret/core/text_hash.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace leveret::broker {

class queue;

/// Why a message left its queue unread; the texts are those of x-death.
enum class death_reason : std::uint8_t { rejected, expired, maxlen, delivery_limit };

[[nodiscard]] constexpr std::string_view name(death_reason reason) noexcept
{
    switch (reason) {
    case death_reason::rejected: return "rejected";
    case death_reason::expired: return "expired";
    case death_reason::maxlen: return "maxlen";
    case death_reason::delivery_limit: return "delivery_limit";
    }
    return "";
}

/// A message that left a queue and goes to the queue's dead letter exchange when the operation ends.
struct dead_letter {
    message_ptr message;
    queue* from = nullptr; // pinned
    death_reason reason = death_reason::rejected;
};

/// What the parts of a broker share: time, memory, pools, and work that waits for an operation's end.
class shared_state {
public:
    explicit shared_state(const broker::options& o) : options(o), random_(o.seed) {}
    shared_state(const shared_state&) = delete;
    shared_state& operator=(const shared_state&) = delete;

    const broker::options options;
    instant now;
    deadlines timers;
    object_pool<stored_message>::owner messages;
    object_pool<shared_properties>::owner properties;
    object_pool<message_route>::owner routes;
    /// Dead letters are routed when the operation that made them ends: queues never publish into each other
    /// while one of them is at work, and a chain of dead letter queues takes no stack.
    ring_queue<dead_letter> dead_letters;
    /// The last mark that routing gave, so that a queue is reached once.
    std::uint64_t epoch = 0;

    [[nodiscard]] const broker::limits& limits() const noexcept { return options.limits; }

    /// A queue entry or an unacknowledged delivery begins or ends to hold a message.
    void hold(stored_message& m) noexcept
    {
        if (m.holders()++ == 0) {
            memory_ += size_of(m);
            if (const properties_ptr& p = m.properties_node())
                memory_ += p->begin_to_be_held();
        } else {
            memory_ += holder_overhead;
        }
        if (memory_ > limits().memory_high)
            alarm_ = true;
    }
    void unhold(stored_message& m) noexcept
    {
        if (--m.holders() != 0) {
            memory_ -= holder_overhead;
            return;
        }
        memory_ -= size_of(m);
        if (const properties_ptr& p = m.properties_node())
            memory_ -= p->end_to_be_held();
    }
    /// Bytes of messages that are held, and of their properties, each counted once, and of each further holder.
    [[nodiscard]] std::size_t memory() const noexcept { return memory_; }
    [[nodiscard]] bool has_alarm() const noexcept { return alarm_; }
    [[nodiscard]] bool alarm_is_over() const noexcept
    {
        return alarm_ && memory_ <= limits().memory_low;
    }
    void end_alarm() noexcept { alarm_ = false; }

    /// Of names that clients make up, so that they can't make up many of one hash.
    [[nodiscard]] std::uint64_t hash_of(std::string_view n) const noexcept { return text_hash(n, names_); }

    /// Seconds since 1970.
    [[nodiscard]] std::uint64_t unix_time() const noexcept
    {
        const std::int64_t seconds =
            options.unix_time_at_origin + now.count_ns() / std::int64_t{1'000'000'000};
        return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds);
    }

    /// A name that nobody guesses and nobody else has, such as `amq.gen-JzTY20BRgKO-HjmUJj0wLg`.
    [[nodiscard]] std::string unique_name(std::string_view prefix)
    {
        static constexpr std::string_view digits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        std::string made(prefix);
        made += '-';
        std::uint64_t bits = 0;
        for (int i = 0; i < 22; ++i) {
            if (i % 10 == 0) {
                random_ += 0x9e3779b97f4a7c15U;
                bits = mix(random_ ^ 0xe7037ed1a0b428dbU,
                           random_ ^ options.seed ^ 0x8ebc6af09c88c6e3U);
                bits ^= mix(bits, 0x589965cc75374cc3U);
            }
            made += digits[bits & 63U];
            bits >>= 6U;
        }
        return made;
    }

    /// For the router of an exchange: clients can't know it, and no two have the same.
    [[nodiscard]] std::uint64_t router_seed() noexcept
    {
        routers_ += 0x9e3779b97f4a7c15U;
        return mix(routers_ ^ options.seed, options.seed ^ 0xa0761d6478bd642fU);
    }

private:
    [[nodiscard]] static std::size_t size_of(const stored_message& m) noexcept
    {
        std::size_t size = m.body().size() + message_overhead;
        for (const std::string& key : m.route()->further_keys)
            size += sizeof key + key.size();
        return size;
    }

    std::uint64_t random_;
    std::uint64_t routers_ = 0;
    std::uint64_t names_ = mix(options.seed ^ 0x589965cc75374cc3U, 0x8ebc6af09c88c6e3U);
    std::size_t memory_ = 0;
    bool alarm_ = false;
};

} // namespace leveret::broker
