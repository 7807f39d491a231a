// The fingerprint of a publish is found from its frames, however long it is and however it is sent.
#include <leveret/core/payload.hpp>
#include <leveret/core/properties.hpp>
#include <leveret/engine/fingerprint.hpp>
#include <leveret/transport/amqp/detail/channel_core.hpp>
#include <leveret/transport/amqp/detail/publish_request.hpp>
#include <leveret/wire/byte_order.hpp>
#include <leveret/wire/content_header.hpp>
#include <leveret/wire/writer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lv = leveret;

TEST_CASE("publish: its fingerprint is that of what a broker sends back")
{
    constexpr std::uint32_t frame_max = 4096;
    lv::properties some;
    some.content_type("text/plain").correlation_id("c1").headers({{"a", 1}});
    const lv::properties none;
    for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 4087U, 4088U, 4089U, 16'383U, 16'384U, 20'000U}) {
        CAPTURE(size);
        const std::string body(size, 'b');
        const lv::payload shared{std::string_view(body)};
        for (const lv::properties* p : {static_cast<const lv::properties*>(&some), &none}) {
            std::string header(lv::wire::content_header_size + lv::wire::encoded_size(*p), '\0');
            lv::wire::writer out(header.data(), header.size());
            lv::wire::encode_content_header(out, size, *p);
            const auto flags = lv::wire::load_be<std::uint16_t>(header.data() + lv::wire::content_header_size - 2);
            const auto encoded = std::string_view(header).substr(lv::wire::content_header_size);
            const lv::engine::fingerprint wanted("exchange", "key", body, flags, encoded);
            for (const bool is_shared : {false, true}) {
                lv::amqp::detail::publish_request request;
                request.encode(1, frame_max, {"exchange", "key", true, false}, p, body, is_shared ? &shared : nullptr);
                CHECK(request.mark() == wanted);
                request.encode(1, frame_max, {"exchange", "key", false, false}, p, body, is_shared ? &shared : nullptr);
                CHECK(request.mark() == lv::engine::fingerprint());
            }
        }
    }
}
