// The C interface of ffi/src/lib.rs as C++ sees it. Only tokenizer.cpp includes this.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct QrtTokenizer;

struct QrtBuffer {
  std::uint32_t* values;
  std::size_t count;
};

QrtTokenizer* qrt_load(const std::uint8_t* json, std::size_t size, std::uint8_t* error,
                       std::size_t error_size);
void qrt_free(QrtTokenizer* tokenizer);
void qrt_free_buffer(QrtBuffer buffer);
std::int32_t qrt_encode(const QrtTokenizer* tokenizer, const std::uint8_t* text, std::size_t size,
                        QrtBuffer* out);
std::int32_t qrt_pair_template(const QrtTokenizer* tokenizer, QrtBuffer* out);
std::int64_t qrt_token_to_id(const QrtTokenizer* tokenizer, const std::uint8_t* token, std::size_t size);
std::size_t qrt_vocabulary_size(const QrtTokenizer* tokenizer);

}  // extern "C"
