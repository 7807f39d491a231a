// rabbitmqc-perf: the benchmark's work done with rabbitmq-c, as its documentation and examples
// would have a user write it. One connection, one channel, one thread.

#include "measure.hpp"

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <sys/time.h>

namespace {

using bench::die;
using bench::job;
using bench::outcome;

constexpr amqp_channel_t channel = 1;

amqp_bytes_t bytes(const std::string& s) { return {s.size(), const_cast<char*>(s.data())}; }

void check(int status, const char* what)
{
    if (status < 0) {
        die("%s: %s", what, amqp_error_string2(status));
    }
}

void check(const amqp_rpc_reply_t& reply, const char* what)
{
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
        die("%s: %s", what, amqp_error_string2(reply.library_error));
    }
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        die("%s: refused by the server", what);
    }
}

/// The properties of --props; `table` has to outlive what is returned.
struct rich_properties {
    rich_properties()
    {
        entries[0] = {amqp_cstring_bytes("attempt"), {AMQP_FIELD_KIND_I32, {}}};
        entries[0].value.value.i32 = 3;
        entries[1] = {amqp_cstring_bytes("region"), {AMQP_FIELD_KIND_UTF8, {}}};
        entries[1].value.value.bytes = amqp_cstring_bytes("eu-west-1");
        entries[2] = {amqp_cstring_bytes("urgent"), {AMQP_FIELD_KIND_BOOLEAN, {}}};
        entries[2].value.value.boolean = 1;
        entries[3] = {amqp_cstring_bytes("sequence"), {AMQP_FIELD_KIND_I64, {}}};
        entries[3].value.value.i64 = 1234567890123;
        properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_HEADERS_FLAG |
                            AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                            AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                            AMQP_BASIC_APP_ID_FLAG;
        properties.content_type = amqp_cstring_bytes("application/json");
        properties.headers = {4, entries};
        properties.delivery_mode = 2;
        properties.correlation_id = amqp_cstring_bytes("correlation-0001");
        properties.message_id = amqp_cstring_bytes("message-00000001");
        properties.timestamp = 1700000000;
        properties.app_id = amqp_cstring_bytes("leveret-bench");
    }

    amqp_table_entry_t entries[4] = {};
    amqp_basic_properties_t properties = {};
};

class client {
public:
    explicit client(const job& wanted) : job_(wanted), body_(wanted.size, 'x')
    {
        amqp_socket_t* socket = amqp_tcp_socket_new(state_);
        check(amqp_socket_open(socket, job_.host.c_str(), job_.port), "connect");
        check(amqp_login(state_, "/", 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN,
                         "guest", "guest"),
              "login");
        amqp_channel_open(state_, channel);
        check(amqp_get_rpc_reply(state_), "channel.open");
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { amqp_destroy_connection(state_); }

    outcome run()
    {
        if (job_.mode == "publish")
            return publish();
        if (job_.mode == "publish-confirm")
            return publish_confirm();
        if (job_.mode == "consume")
            return consume();
        return rpc();
    }

private:
    void publish_one(const amqp_basic_properties_t* properties)
    {
        check(amqp_basic_publish(state_, channel, amqp_empty_bytes, bytes(job_.queue), 0, 0,
                                 properties, bytes(body_)),
              "publish");
    }

    outcome publish()
    {
        outcome done;
        const auto* properties = job_.props ? &rich_.properties : nullptr;
        watch_.start();
        while (done.published < job_.count) {
            publish_one(properties);
            ++done.published;
        }
        watch_.stop(done);
        return done;
    }

    /// Keeps the window full: waits for one ack when it is, and takes without waiting what has
    /// arrived with it. A look at the socket after each publish would only add system calls.
    outcome publish_confirm()
    {
        amqp_confirm_select(state_, channel);
        check(amqp_get_rpc_reply(state_), "confirm.select");
        outcome done;
        const auto* properties = job_.props ? &rich_.properties : nullptr;
        watch_.start();
        while (done.confirmed < job_.count) {
            while (done.published < job_.count && done.published - done.confirmed < job_.window) {
                publish_one(properties);
                ++done.published;
            }
            do {
                take_ack(done);
            } while (amqp_frames_enqueued(state_) || amqp_data_in_buffer(state_));
        }
        watch_.stop(done);
        return done;
    }

    void take_ack(outcome& done)
    {
        amqp_frame_t frame;
        timeval patience = {10, 0};
        amqp_maybe_release_buffers(state_);
        check(amqp_simple_wait_frame_noblock(state_, &frame, &patience), "wait for acks");
        if (frame.frame_type != AMQP_FRAME_METHOD ||
            frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
            die("not an ack: %#x", frame.payload.method.id);
        }
        const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
        done.confirmed = ack->multiple ? ack->delivery_tag : done.confirmed + 1;
    }

    void start_consuming(const std::string& queue, bool no_ack)
    {
        amqp_basic_consume(state_, channel, bytes(queue), amqp_empty_bytes, 0, no_ack, 0,
                           amqp_empty_table);
        check(amqp_get_rpc_reply(state_), "consume");
    }

    outcome consume()
    {
        const bool no_ack = job_.ack_every == 0;
        if (!no_ack) {
            amqp_basic_qos(state_, channel, 0, static_cast<std::uint16_t>(job_.prefetch), 0);
            check(amqp_get_rpc_reply(state_), "qos");
        }
        start_consuming(job_.queue, no_ack);
        outcome done;
        watch_.start();
        while (done.consumed < job_.count) {
            amqp_envelope_t envelope;
            amqp_maybe_release_buffers(state_);
            check(amqp_consume_message(state_, &envelope, nullptr, 0), "consume_message");
            ++done.consumed;
            if (!no_ack && done.consumed % job_.ack_every == 0) {
                check(amqp_basic_ack(state_, channel, envelope.delivery_tag, 1), "ack");
            }
            if (envelope.message.body.len != job_.size)
                die("a body of another size");
            amqp_destroy_envelope(&envelope);
        }
        watch_.stop(done);
        return done;
    }

    void call(const std::string& reply_to, std::uint64_t slot, bench::round_trips& trips)
    {
        const std::string correlation_id = std::to_string(slot);
        amqp_basic_properties_t properties = {};
        properties._flags = AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_REPLY_TO_FLAG;
        properties.correlation_id = bytes(correlation_id);
        properties.reply_to = bytes(reply_to);
        trips.sent(slot);
        publish_one(&properties);
    }

    /// Takes one reply; its correlation id is the slot that is free again.
    std::uint64_t take_reply(bench::round_trips& trips)
    {
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(state_);
        check(amqp_consume_message(state_, &envelope, nullptr, 0), "consume_message");
        const auto& id = envelope.message.properties.correlation_id;
        const std::string text(static_cast<const char*>(id.bytes), id.len);
        const auto slot = std::strtoull(text.c_str(), nullptr, 10);
        trips.answered(slot);
        amqp_destroy_envelope(&envelope);
        return slot;
    }

    outcome rpc()
    {
        const auto* declared =
            amqp_queue_declare(state_, channel, amqp_empty_bytes, 0, 0, 1, 1, amqp_empty_table);
        check(amqp_get_rpc_reply(state_), "queue.declare");
        const std::string reply_to(static_cast<const char*>(declared->queue.bytes),
                                   declared->queue.len);
        start_consuming(reply_to, true);

        bench::round_trips trips(job_.in_flight, job_.count);
        outcome done;
        watch_.start();
        while (done.published < job_.in_flight && done.published < job_.count) {
            call(reply_to, done.published++, trips);
        }
        while (trips.done() < job_.count) {
            const auto slot = take_reply(trips);
            if (done.published < job_.count) {
                call(reply_to, slot, trips);
                ++done.published;
            }
        }
        watch_.stop(done);
        done.consumed = done.round_trips = trips.done();
        done.rtt_ns = std::move(trips).samples();
        return done;
    }

    const job& job_;
    std::string body_;
    rich_properties rich_;
    amqp_connection_state_t state_ = amqp_new_connection();
    bench::stopwatch watch_;
};

} // namespace

int main(int argc, char** argv)
{
    const job wanted = bench::parse_job(argc, argv);
    bench::print_json(client(wanted).run());
}
