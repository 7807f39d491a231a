// The methods of the class as data, field by field in wire order: see method.hpp for what follows from
// them (size, encode, decode, print). Names are the specification's; `delete` and `return` got a _.
#pragma once

#include "leveret/wire/types.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::wire::exchange {

struct declare {
    static constexpr method_number id{40, 10};
    static constexpr std::string_view name = "exchange.declare";
    std::uint16_t ticket = 0;
    std::string_view exchange = {};
    std::string_view type = "direct";
    bool passive = false;
    bool durable = false;
    bool auto_delete = false;
    bool internal = false;
    bool no_wait = false;
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("exchange", self.exchange);
        visit("type", self.type);
        visit("passive", self.passive);
        visit("durable", self.durable);
        visit("auto-delete", self.auto_delete);
        visit("internal", self.internal);
        visit("nowait", self.no_wait);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const declare&, const declare&) noexcept = default;
};

struct declare_ok {
    static constexpr method_number id{40, 11};
    static constexpr std::string_view name = "exchange.declare-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const declare_ok&, const declare_ok&) noexcept = default;
};

struct delete_ {
    static constexpr method_number id{40, 20};
    static constexpr std::string_view name = "exchange.delete";
    std::uint16_t ticket = 0;
    std::string_view exchange = {};
    bool if_unused = false;
    bool no_wait = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("exchange", self.exchange);
        visit("if-unused", self.if_unused);
        visit("nowait", self.no_wait);
    }
    friend constexpr bool operator==(const delete_&, const delete_&) noexcept = default;
};

struct delete_ok {
    static constexpr method_number id{40, 21};
    static constexpr std::string_view name = "exchange.delete-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const delete_ok&, const delete_ok&) noexcept = default;
};

struct bind {
    static constexpr method_number id{40, 30};
    static constexpr std::string_view name = "exchange.bind";
    std::uint16_t ticket = 0;
    std::string_view destination = {};
    std::string_view source = {};
    std::string_view routing_key = {};
    bool no_wait = false;
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("destination", self.destination);
        visit("source", self.source);
        visit("routing-key", self.routing_key);
        visit("nowait", self.no_wait);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const bind&, const bind&) noexcept = default;
};

struct bind_ok {
    static constexpr method_number id{40, 31};
    static constexpr std::string_view name = "exchange.bind-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const bind_ok&, const bind_ok&) noexcept = default;
};

struct unbind {
    static constexpr method_number id{40, 40};
    static constexpr std::string_view name = "exchange.unbind";
    std::uint16_t ticket = 0;
    std::string_view destination = {};
    std::string_view source = {};
    std::string_view routing_key = {};
    bool no_wait = false;
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("destination", self.destination);
        visit("source", self.source);
        visit("routing-key", self.routing_key);
        visit("nowait", self.no_wait);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const unbind&, const unbind&) noexcept = default;
};

struct unbind_ok {
    static constexpr method_number id{40, 51};
    static constexpr std::string_view name = "exchange.unbind-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const unbind_ok&, const unbind_ok&) noexcept = default;
};

} // namespace leveret::wire::exchange
