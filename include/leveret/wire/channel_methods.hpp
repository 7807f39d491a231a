// The methods of the class as data, field by field in wire order: see method.hpp for what follows from
// them (size, encode, decode, print). Names are the specification's; `delete` and `return` got a _.
#pragma once

#include "leveret/wire/types.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::wire::channel {

struct open {
    static constexpr method_number id{20, 10};
    static constexpr std::string_view name = "channel.open";
    std::string_view out_of_band = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("out-of-band", self.out_of_band);
    }
    friend constexpr bool operator==(const open&, const open&) noexcept = default;
};

struct open_ok {
    static constexpr method_number id{20, 11};
    static constexpr std::string_view name = "channel.open-ok";
    long_string channel_id = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("channel-id", self.channel_id);
    }
    friend constexpr bool operator==(const open_ok&, const open_ok&) noexcept = default;
};

struct flow {
    static constexpr method_number id{20, 20};
    static constexpr std::string_view name = "channel.flow";
    bool active = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("active", self.active);
    }
    friend constexpr bool operator==(const flow&, const flow&) noexcept = default;
};

struct flow_ok {
    static constexpr method_number id{20, 21};
    static constexpr std::string_view name = "channel.flow-ok";
    bool active = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("active", self.active);
    }
    friend constexpr bool operator==(const flow_ok&, const flow_ok&) noexcept = default;
};

struct close {
    static constexpr method_number id{20, 40};
    static constexpr std::string_view name = "channel.close";
    std::uint16_t reply_code = 0;
    std::string_view reply_text = {};
    std::uint16_t class_id = 0;
    std::uint16_t method_id = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("reply-code", self.reply_code);
        visit("reply-text", self.reply_text);
        visit("class-id", self.class_id);
        visit("method-id", self.method_id);
    }
    friend constexpr bool operator==(const close&, const close&) noexcept = default;
};

struct close_ok {
    static constexpr method_number id{20, 41};
    static constexpr std::string_view name = "channel.close-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const close_ok&, const close_ok&) noexcept = default;
};

} // namespace leveret::wire::channel

namespace leveret::wire::access {

struct request {
    static constexpr method_number id{30, 10};
    static constexpr std::string_view name = "access.request";
    std::string_view realm = "/data";
    bool exclusive = false;
    bool passive = true;
    bool active = true;
    bool write = true;
    bool read = true;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("realm", self.realm);
        visit("exclusive", self.exclusive);
        visit("passive", self.passive);
        visit("active", self.active);
        visit("write", self.write);
        visit("read", self.read);
    }
    friend constexpr bool operator==(const request&, const request&) noexcept = default;
};

struct request_ok {
    static constexpr method_number id{30, 11};
    static constexpr std::string_view name = "access.request-ok";
    std::uint16_t ticket = 1;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
    }
    friend constexpr bool operator==(const request_ok&, const request_ok&) noexcept = default;
};

} // namespace leveret::wire::access
