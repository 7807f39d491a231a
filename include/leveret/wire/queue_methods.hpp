// The methods of the class as data, field by field in wire order: see method.hpp for what follows from
// them (size, encode, decode, print). Names are the specification's; `delete` and `return` got a _.
#pragma once

#include "leveret/wire/types.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::wire::queue {

struct declare {
    static constexpr method_number id{50, 10};
    static constexpr std::string_view name = "queue.declare";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    bool passive = false;
    bool durable = false;
    bool exclusive = false;
    bool auto_delete = false;
    bool no_wait = false;
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("passive", self.passive);
        visit("durable", self.durable);
        visit("exclusive", self.exclusive);
        visit("auto-delete", self.auto_delete);
        visit("nowait", self.no_wait);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const declare&, const declare&) noexcept = default;
};

struct declare_ok {
    static constexpr method_number id{50, 11};
    static constexpr std::string_view name = "queue.declare-ok";
    std::string_view queue = {};
    std::uint32_t message_count = 0;
    std::uint32_t consumer_count = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("queue", self.queue);
        visit("message-count", self.message_count);
        visit("consumer-count", self.consumer_count);
    }
    friend constexpr bool operator==(const declare_ok&, const declare_ok&) noexcept = default;
};

struct bind {
    static constexpr method_number id{50, 20};
    static constexpr std::string_view name = "queue.bind";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    std::string_view exchange = {};
    std::string_view routing_key = {};
    bool no_wait = false;
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("exchange", self.exchange);
        visit("routing-key", self.routing_key);
        visit("nowait", self.no_wait);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const bind&, const bind&) noexcept = default;
};

struct bind_ok {
    static constexpr method_number id{50, 21};
    static constexpr std::string_view name = "queue.bind-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const bind_ok&, const bind_ok&) noexcept = default;
};

struct purge {
    static constexpr method_number id{50, 30};
    static constexpr std::string_view name = "queue.purge";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    bool no_wait = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("nowait", self.no_wait);
    }
    friend constexpr bool operator==(const purge&, const purge&) noexcept = default;
};

struct purge_ok {
    static constexpr method_number id{50, 31};
    static constexpr std::string_view name = "queue.purge-ok";
    std::uint32_t message_count = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("message-count", self.message_count);
    }
    friend constexpr bool operator==(const purge_ok&, const purge_ok&) noexcept = default;
};

struct delete_ {
    static constexpr method_number id{50, 40};
    static constexpr std::string_view name = "queue.delete";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    bool if_unused = false;
    bool if_empty = false;
    bool no_wait = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("if-unused", self.if_unused);
        visit("if-empty", self.if_empty);
        visit("nowait", self.no_wait);
    }
    friend constexpr bool operator==(const delete_&, const delete_&) noexcept = default;
};

struct delete_ok {
    static constexpr method_number id{50, 41};
    static constexpr std::string_view name = "queue.delete-ok";
    std::uint32_t message_count = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("message-count", self.message_count);
    }
    friend constexpr bool operator==(const delete_ok&, const delete_ok&) noexcept = default;
};

struct unbind {
    static constexpr method_number id{50, 50};
    static constexpr std::string_view name = "queue.unbind";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    std::string_view exchange = {};
    std::string_view routing_key = {};
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("exchange", self.exchange);
        visit("routing-key", self.routing_key);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const unbind&, const unbind&) noexcept = default;
};

struct unbind_ok {
    static constexpr method_number id{50, 51};
    static constexpr std::string_view name = "queue.unbind-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const unbind_ok&, const unbind_ok&) noexcept = default;
};

} // namespace leveret::wire::queue
