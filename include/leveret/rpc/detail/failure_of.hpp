#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/error.hpp"
#include "leveret/rpc/error.hpp"
#include "leveret/rpc/failure.hpp"

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace leveret::rpc::detail {

/// What a caller is told of an exception: itself if it is a failure, that of another service whose answer it is, and
/// else the name of the standard exception nearest to it.
[[nodiscard]] inline failure failure_of(const std::exception_ptr& thrown)
{
    const auto named = [](const char* type, const std::exception& e) { return failure(type, e.what()); };
    try {
        std::rethrow_exception(thrown);
    } catch (const failure& f) {
        return f;
    } catch (const remote_error& e) {
        failure f = e.failure();
        f.kind(failure_kind::error);
        return f;
    } catch (const decode_error& e) {
        return named("leveret::decode_error", e);
    } catch (const leveret::error& e) {
        return named("leveret::error", e);
    } catch (const std::system_error& e) {
        return named("std::system_error", e);
    } catch (const std::invalid_argument& e) {
        return named("std::invalid_argument", e);
    } catch (const std::out_of_range& e) {
        return named("std::out_of_range", e);
    } catch (const std::domain_error& e) {
        return named("std::domain_error", e);
    } catch (const std::length_error& e) {
        return named("std::length_error", e);
    } catch (const std::logic_error& e) {
        return named("std::logic_error", e);
    } catch (const std::overflow_error& e) {
        return named("std::overflow_error", e);
    } catch (const std::underflow_error& e) {
        return named("std::underflow_error", e);
    } catch (const std::range_error& e) {
        return named("std::range_error", e);
    } catch (const std::runtime_error& e) {
        return named("std::runtime_error", e);
    } catch (const std::bad_alloc& e) {
        return named("std::bad_alloc", e);
    } catch (const std::exception& e) {
        return named("std::exception", e);
    } catch (...) {
        return failure("unknown", "something that is no std::exception was thrown");
    }
}

} // namespace leveret::rpc::detail
