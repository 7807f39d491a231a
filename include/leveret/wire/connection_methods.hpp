// The methods of the class as data, field by field in wire order: see method.hpp for what follows from
// them (size, encode, decode, print). Names are the specification's; `delete` and `return` got a _.
#pragma once

#include "leveret/wire/types.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::wire::connection {

struct start {
    static constexpr method_number id{10, 10};
    static constexpr std::string_view name = "connection.start";
    std::uint8_t version_major = 0;
    std::uint8_t version_minor = 9;
    table_view server_properties = {};
    long_string mechanisms = "PLAIN";
    long_string locales = "en_US";
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("version-major", self.version_major);
        visit("version-minor", self.version_minor);
        visit("server-properties", self.server_properties);
        visit("mechanisms", self.mechanisms);
        visit("locales", self.locales);
    }
    friend constexpr bool operator==(const start&, const start&) noexcept = default;
};

struct start_ok {
    static constexpr method_number id{10, 11};
    static constexpr std::string_view name = "connection.start-ok";
    table_view client_properties = {};
    std::string_view mechanism = "PLAIN";
    long_string response = {};
    std::string_view locale = "en_US";
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("client-properties", self.client_properties);
        visit("mechanism", self.mechanism);
        visit("response", self.response);
        visit("locale", self.locale);
    }
    friend constexpr bool operator==(const start_ok&, const start_ok&) noexcept = default;
};

struct secure {
    static constexpr method_number id{10, 20};
    static constexpr std::string_view name = "connection.secure";
    long_string challenge = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("challenge", self.challenge);
    }
    friend constexpr bool operator==(const secure&, const secure&) noexcept = default;
};

struct secure_ok {
    static constexpr method_number id{10, 21};
    static constexpr std::string_view name = "connection.secure-ok";
    long_string response = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("response", self.response);
    }
    friend constexpr bool operator==(const secure_ok&, const secure_ok&) noexcept = default;
};

struct tune {
    static constexpr method_number id{10, 30};
    static constexpr std::string_view name = "connection.tune";
    std::uint16_t channel_max = 0;
    std::uint32_t frame_max = 0;
    std::uint16_t heartbeat = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("channel-max", self.channel_max);
        visit("frame-max", self.frame_max);
        visit("heartbeat", self.heartbeat);
    }
    friend constexpr bool operator==(const tune&, const tune&) noexcept = default;
};

struct tune_ok {
    static constexpr method_number id{10, 31};
    static constexpr std::string_view name = "connection.tune-ok";
    std::uint16_t channel_max = 0;
    std::uint32_t frame_max = 0;
    std::uint16_t heartbeat = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("channel-max", self.channel_max);
        visit("frame-max", self.frame_max);
        visit("heartbeat", self.heartbeat);
    }
    friend constexpr bool operator==(const tune_ok&, const tune_ok&) noexcept = default;
};

struct open {
    static constexpr method_number id{10, 40};
    static constexpr std::string_view name = "connection.open";
    std::string_view virtual_host = "/";
    std::string_view capabilities = {};
    bool insist = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("virtual-host", self.virtual_host);
        visit("capabilities", self.capabilities);
        visit("insist", self.insist);
    }
    friend constexpr bool operator==(const open&, const open&) noexcept = default;
};

struct open_ok {
    static constexpr method_number id{10, 41};
    static constexpr std::string_view name = "connection.open-ok";
    std::string_view known_hosts = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("known-hosts", self.known_hosts);
    }
    friend constexpr bool operator==(const open_ok&, const open_ok&) noexcept = default;
};

struct close {
    static constexpr method_number id{10, 50};
    static constexpr std::string_view name = "connection.close";
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
    static constexpr method_number id{10, 51};
    static constexpr std::string_view name = "connection.close-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const close_ok&, const close_ok&) noexcept = default;
};

struct blocked {
    static constexpr method_number id{10, 60};
    static constexpr std::string_view name = "connection.blocked";
    std::string_view reason = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("reason", self.reason);
    }
    friend constexpr bool operator==(const blocked&, const blocked&) noexcept = default;
};

struct unblocked {
    static constexpr method_number id{10, 61};
    static constexpr std::string_view name = "connection.unblocked";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const unblocked&, const unblocked&) noexcept = default;
};

struct update_secret {
    static constexpr method_number id{10, 70};
    static constexpr std::string_view name = "connection.update-secret";
    long_string new_secret = {};
    std::string_view reason = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("new-secret", self.new_secret);
        visit("reason", self.reason);
    }
    friend constexpr bool operator==(const update_secret&, const update_secret&) noexcept = default;
};

struct update_secret_ok {
    static constexpr method_number id{10, 71};
    static constexpr std::string_view name = "connection.update-secret-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const update_secret_ok&, const update_secret_ok&) noexcept = default;
};

} // namespace leveret::wire::connection
