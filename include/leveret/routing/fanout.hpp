#pragma once

#include "leveret/routing/policy.hpp"

#include <string_view>

namespace leveret {

namespace routing {

/// Every binding matches every message.
class fanout_router {
public:
    void add(std::string_view, const table&, binding& b) { targets_.add(b); }
    void remove(std::string_view, const table&, binding& b) noexcept { targets_.remove(b); }
    template <class Visit>
    void route(std::string_view, const table&, Visit&& visit) const
    {
        targets_.visit(visit);
    }

private:
    target_list targets_;
};

} // namespace routing

/// The fanout exchange (AMQP 0-9-1, section 3.1.3.2): keys don't matter.
struct fanout {
    static constexpr std::string_view name = "fanout";
    static constexpr bool is_stable = true;
    using router = routing::fanout_router;
};

} // namespace leveret
