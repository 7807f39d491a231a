// The methods of the class as data, field by field in wire order: see method.hpp for what follows from
// them (size, encode, decode, print). Names are the specification's; `delete` and `return` got a _.
#pragma once

#include "leveret/wire/types.hpp"

#include <cstdint>
#include <string_view>

namespace leveret::wire::basic {

struct qos {
    static constexpr method_number id{60, 10};
    static constexpr std::string_view name = "basic.qos";
    std::uint32_t prefetch_size = 0;
    std::uint16_t prefetch_count = 0;
    bool global = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("prefetch-size", self.prefetch_size);
        visit("prefetch-count", self.prefetch_count);
        visit("global", self.global);
    }
    friend constexpr bool operator==(const qos&, const qos&) noexcept = default;
};

struct qos_ok {
    static constexpr method_number id{60, 11};
    static constexpr std::string_view name = "basic.qos-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const qos_ok&, const qos_ok&) noexcept = default;
};

struct consume {
    static constexpr method_number id{60, 20};
    static constexpr std::string_view name = "basic.consume";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    std::string_view consumer_tag = {};
    bool no_local = false;
    bool no_ack = false;
    bool exclusive = false;
    bool no_wait = false;
    table_view arguments = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("consumer-tag", self.consumer_tag);
        visit("no-local", self.no_local);
        visit("no-ack", self.no_ack);
        visit("exclusive", self.exclusive);
        visit("nowait", self.no_wait);
        visit("arguments", self.arguments);
    }
    friend constexpr bool operator==(const consume&, const consume&) noexcept = default;
};

struct consume_ok {
    static constexpr method_number id{60, 21};
    static constexpr std::string_view name = "basic.consume-ok";
    std::string_view consumer_tag = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("consumer-tag", self.consumer_tag);
    }
    friend constexpr bool operator==(const consume_ok&, const consume_ok&) noexcept = default;
};

struct cancel {
    static constexpr method_number id{60, 30};
    static constexpr std::string_view name = "basic.cancel";
    std::string_view consumer_tag = {};
    bool no_wait = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("consumer-tag", self.consumer_tag);
        visit("nowait", self.no_wait);
    }
    friend constexpr bool operator==(const cancel&, const cancel&) noexcept = default;
};

struct cancel_ok {
    static constexpr method_number id{60, 31};
    static constexpr std::string_view name = "basic.cancel-ok";
    std::string_view consumer_tag = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("consumer-tag", self.consumer_tag);
    }
    friend constexpr bool operator==(const cancel_ok&, const cancel_ok&) noexcept = default;
};

struct publish {
    static constexpr method_number id{60, 40};
    static constexpr std::string_view name = "basic.publish";
    static constexpr bool has_content = true;
    std::uint16_t ticket = 0;
    std::string_view exchange = {};
    std::string_view routing_key = {};
    bool mandatory = false;
    bool immediate = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("exchange", self.exchange);
        visit("routing-key", self.routing_key);
        visit("mandatory", self.mandatory);
        visit("immediate", self.immediate);
    }
    friend constexpr bool operator==(const publish&, const publish&) noexcept = default;
};

struct return_ {
    static constexpr method_number id{60, 50};
    static constexpr std::string_view name = "basic.return";
    static constexpr bool has_content = true;
    std::uint16_t reply_code = 0;
    std::string_view reply_text = {};
    std::string_view exchange = {};
    std::string_view routing_key = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("reply-code", self.reply_code);
        visit("reply-text", self.reply_text);
        visit("exchange", self.exchange);
        visit("routing-key", self.routing_key);
    }
    friend constexpr bool operator==(const return_&, const return_&) noexcept = default;
};

struct deliver {
    static constexpr method_number id{60, 60};
    static constexpr std::string_view name = "basic.deliver";
    static constexpr bool has_content = true;
    std::string_view consumer_tag = {};
    std::uint64_t delivery_tag = 0;
    bool redelivered = false;
    std::string_view exchange = {};
    std::string_view routing_key = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("consumer-tag", self.consumer_tag);
        visit("delivery-tag", self.delivery_tag);
        visit("redelivered", self.redelivered);
        visit("exchange", self.exchange);
        visit("routing-key", self.routing_key);
    }
    friend constexpr bool operator==(const deliver&, const deliver&) noexcept = default;
};

struct get {
    static constexpr method_number id{60, 70};
    static constexpr std::string_view name = "basic.get";
    std::uint16_t ticket = 0;
    std::string_view queue = {};
    bool no_ack = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("ticket", self.ticket);
        visit("queue", self.queue);
        visit("no-ack", self.no_ack);
    }
    friend constexpr bool operator==(const get&, const get&) noexcept = default;
};

struct get_ok {
    static constexpr method_number id{60, 71};
    static constexpr std::string_view name = "basic.get-ok";
    static constexpr bool has_content = true;
    std::uint64_t delivery_tag = 0;
    bool redelivered = false;
    std::string_view exchange = {};
    std::string_view routing_key = {};
    std::uint32_t message_count = 0;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("delivery-tag", self.delivery_tag);
        visit("redelivered", self.redelivered);
        visit("exchange", self.exchange);
        visit("routing-key", self.routing_key);
        visit("message-count", self.message_count);
    }
    friend constexpr bool operator==(const get_ok&, const get_ok&) noexcept = default;
};

struct get_empty {
    static constexpr method_number id{60, 72};
    static constexpr std::string_view name = "basic.get-empty";
    std::string_view cluster_id = {};
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("cluster-id", self.cluster_id);
    }
    friend constexpr bool operator==(const get_empty&, const get_empty&) noexcept = default;
};

struct ack {
    static constexpr method_number id{60, 80};
    static constexpr std::string_view name = "basic.ack";
    std::uint64_t delivery_tag = 0;
    bool multiple = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("delivery-tag", self.delivery_tag);
        visit("multiple", self.multiple);
    }
    friend constexpr bool operator==(const ack&, const ack&) noexcept = default;
};

struct reject {
    static constexpr method_number id{60, 90};
    static constexpr std::string_view name = "basic.reject";
    std::uint64_t delivery_tag = 0;
    bool requeue = true;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("delivery-tag", self.delivery_tag);
        visit("requeue", self.requeue);
    }
    friend constexpr bool operator==(const reject&, const reject&) noexcept = default;
};

struct recover_async {
    static constexpr method_number id{60, 100};
    static constexpr std::string_view name = "basic.recover-async";
    bool requeue = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("requeue", self.requeue);
    }
    friend constexpr bool operator==(const recover_async&, const recover_async&) noexcept = default;
};

struct recover {
    static constexpr method_number id{60, 110};
    static constexpr std::string_view name = "basic.recover";
    bool requeue = false;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("requeue", self.requeue);
    }
    friend constexpr bool operator==(const recover&, const recover&) noexcept = default;
};

struct recover_ok {
    static constexpr method_number id{60, 111};
    static constexpr std::string_view name = "basic.recover-ok";
    static constexpr void fields(auto&, auto&) {}
    friend constexpr bool operator==(const recover_ok&, const recover_ok&) noexcept = default;
};

struct nack {
    static constexpr method_number id{60, 120};
    static constexpr std::string_view name = "basic.nack";
    std::uint64_t delivery_tag = 0;
    bool multiple = false;
    bool requeue = true;
    static constexpr void fields(auto& self, auto& visit)
    {
        visit("delivery-tag", self.delivery_tag);
        visit("multiple", self.multiple);
        visit("requeue", self.requeue);
    }
    friend constexpr bool operator==(const nack&, const nack&) noexcept = default;
};

} // namespace leveret::wire::basic
