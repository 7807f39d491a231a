// The methods of the class as data, field by field in wire order: see method.hpp for what follows from
// them (size, encode, decode, print). Names are the specification's; `delete` and `return` got a _.
#pragma once

#include "leveret/wire/types.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::wire::tx {

struct select {
    static constexpr method_number id{90, 10};
    static constexpr std::string_view name = "tx.select";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const select&, const select&) noexcept = default;
};

struct select_ok {
    static constexpr method_number id{90, 11};
    static constexpr std::string_view name = "tx.select-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const select_ok&, const select_ok&) noexcept = default;
};

struct commit {
    static constexpr method_number id{90, 20};
    static constexpr std::string_view name = "tx.commit";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const commit&, const commit&) noexcept = default;
};

struct commit_ok {
    static constexpr method_number id{90, 21};
    static constexpr std::string_view name = "tx.commit-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const commit_ok&, const commit_ok&) noexcept = default;
};

struct rollback {
    static constexpr method_number id{90, 30};
    static constexpr std::string_view name = "tx.rollback";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const rollback&, const rollback&) noexcept = default;
};

struct rollback_ok {
    static constexpr method_number id{90, 31};
    static constexpr std::string_view name = "tx.rollback-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const rollback_ok&, const rollback_ok&) noexcept = default;
};

} // namespace leveret::wire::tx

namespace leveret::wire::confirm {

struct select {
    static constexpr method_number id{85, 10};
    static constexpr std::string_view name = "confirm.select";
    bool no_wait = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("nowait", self.no_wait);
    }
    friend constexpr bool operator==(const select&, const select&) noexcept = default;
};

struct select_ok {
    static constexpr method_number id{85, 11};
    static constexpr std::string_view name = "confirm.select-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const select_ok&, const select_ok&) noexcept = default;
};

} // namespace leveret::wire::confirm
