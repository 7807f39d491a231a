#pragma once

#include "leveret/core/text_hash.hpp"
#include "leveret/routing/policy.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace leveret {

namespace routing {

/// Every message goes to the target of one binding, each as likely as any other; keys don't matter. A queue
/// that is bound by two keys has two bindings. What chance says follows from the exchange's seed.
class random_router {
public:
    random_router() = default;
    explicit random_router(const router_context& c) noexcept : state_(c.seed) {}

    void add(std::string_view, const table&, binding& b) { targets_.add(b); }
    void remove(std::string_view, const table&, binding& b) noexcept { targets_.remove(b); }
    /// Once for a message: further keys (CC) give it no further targets.
    template <class Visit>
    void route(const message_view&, Visit&& visit)
    {
        if (!targets_.empty())
            visit(targets_[below(targets_.size())]);
    }

private:
    [[nodiscard]] std::size_t below(std::size_t n) noexcept
    {
        state_ += 0x9e3779b97f4a7c15U;
        const std::uint64_t bits = mix(state_, state_ ^ 0xe7037ed1a0b428dbU);
        // The upper half of a product: as even as 32 bits can be for the few bindings there are.
        return static_cast<std::size_t>((bits >> 32U) * n >> 32U);
    }

    target_list targets_;
    std::uint64_t state_ = 0;
};

} // namespace routing

/// RabbitMQ's exchange of the plugin rabbitmq_random_exchange.
struct random {
    static constexpr std::string_view name = "x-random";
    using router = routing::random_router;
};

} // namespace leveret
