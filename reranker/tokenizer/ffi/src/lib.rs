//! The C interface to the Hugging Face tokenizers crate: load, encode, look up, and the pair template.
//! Declared for C++ in ../ffi.hpp. Nothing else lives here: policy (truncation, families) is the caller's.
//!
//! Every function catches panics: one would be undefined behaviour on its way through C++ frames.

use std::collections::HashSet;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::slice;

use tokenizers::tokenizer::Tokenizer;

const OK: i32 = 0;
const FAILED: i32 = 1;
const PANICKED: i32 = 2;

pub struct QrtTokenizer {
    inner: Tokenizer,
    /// Ids that only the template may place: special tokens other than the unknown one.
    control: HashSet<u32>,
    unknown: Option<u32>,
}

/// A buffer owned by this side until qrt_free_buffer.
#[repr(C)]
pub struct QrtBuffer {
    values: *mut u32,
    count: usize,
}

#[derive(serde::Deserialize)]
struct ModelHead {
    unk_token: Option<String>,
    unk_id: Option<u32>,
}

#[derive(serde::Deserialize)]
struct FileHead {
    model: Option<ModelHead>,
}

fn give(values: Vec<u32>, out: *mut QrtBuffer) {
    let boxed = values.into_boxed_slice();
    let count = boxed.len();
    let values = Box::into_raw(boxed) as *mut u32;
    unsafe { out.write(QrtBuffer { values, count }) };
}

/// Bytes that are not UTF-8 become U+FFFD, as Python's `errors="replace"` does.
unsafe fn text_of<'a>(data: *const u8, size: usize) -> std::borrow::Cow<'a, str> {
    if size == 0 {
        return "".into();
    }
    String::from_utf8_lossy(slice::from_raw_parts(data, size))
}

fn load(json: &[u8]) -> Result<QrtTokenizer, String> {
    let mut inner = Tokenizer::from_bytes(json).map_err(|e| e.to_string())?;
    // A file may carry the truncation and padding of some training run; both are the caller's here.
    inner.with_truncation(None).map_err(|e| e.to_string())?;
    inner.with_padding(None);
    inner.set_encode_special_tokens(true);
    let head: FileHead = serde_json::from_slice(json).map_err(|e| e.to_string())?;
    let unknown = head.model.and_then(|m| {
        m.unk_id.or_else(|| m.unk_token.and_then(|t| inner.token_to_id(&t)))
    });
    let control = inner
        .get_added_tokens_decoder()
        .into_iter()
        .filter(|(id, token)| token.special && Some(*id) != unknown)
        .map(|(id, _)| id)
        .collect();
    Ok(QrtTokenizer { inner, control, unknown })
}

/// Reads the text of a tokenizer.json. Null on failure, with a message (at most `error_size` bytes, cut,
/// null-terminated) in `error`.
///
/// # Safety
/// `json` has `size` readable bytes, `error` has `error_size` writable ones.
#[no_mangle]
pub unsafe extern "C" fn qrt_load(
    json: *const u8,
    size: usize,
    error: *mut u8,
    error_size: usize,
) -> *mut QrtTokenizer {
    let bytes = if size == 0 { &[] } else { slice::from_raw_parts(json, size) };
    let message = match catch_unwind(AssertUnwindSafe(|| load(bytes))) {
        Ok(Ok(tokenizer)) => return Box::into_raw(Box::new(tokenizer)),
        Ok(Err(message)) => message,
        Err(_) => "the tokenizers library panicked while reading it".to_string(),
    };
    if error_size > 0 {
        let cut = message.len().min(error_size - 1);
        std::ptr::copy_nonoverlapping(message.as_ptr(), error, cut);
        error.add(cut).write(0);
    }
    std::ptr::null_mut()
}

/// # Safety
/// `tokenizer` came from qrt_load and is not used again.
#[no_mangle]
pub unsafe extern "C" fn qrt_free(tokenizer: *mut QrtTokenizer) {
    if !tokenizer.is_null() {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(tokenizer))));
    }
}

/// # Safety
/// `buffer` was filled by this library and is freed once.
#[no_mangle]
pub unsafe extern "C" fn qrt_free_buffer(buffer: QrtBuffer) {
    if !buffer.values.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(buffer.values, buffer.count)));
    }
}

/// A text's ids without the template's tokens. A text that spells a special token gets ordinary pieces; where
/// the vocabulary itself has that spelling as a piece (Unigram), the unknown token stands for it.
///
/// # Safety
/// `tokenizer` is live, `text` has `size` readable bytes, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn qrt_encode(
    tokenizer: *const QrtTokenizer,
    text: *const u8,
    size: usize,
    out: *mut QrtBuffer,
) -> i32 {
    let run = || -> Result<Vec<u32>, ()> {
        let tokenizer = &*tokenizer;
        let encoding =
            tokenizer.inner.encode_fast(text_of(text, size), false).map_err(|_| ())?;
        let ids = encoding.get_ids().iter().copied();
        Ok(ids
            .filter_map(|id| if tokenizer.control.contains(&id) { tokenizer.unknown } else { Some(id) })
            .collect())
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(ids)) => {
            give(ids, out);
            OK
        }
        Ok(Err(())) => FAILED,
        Err(_) => PANICKED,
    }
}

/// How the tokenizer's own post-processor lays out a pair: three values per token, (id, type, part), part 0
/// for a token of the template, 1 for the first text ("a"), 2 for the second.
///
/// # Safety
/// `tokenizer` is live, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn qrt_pair_template(tokenizer: *const QrtTokenizer, out: *mut QrtBuffer) -> i32 {
    let run = || -> Result<Vec<u32>, ()> {
        let encoding = (*tokenizer).inner.encode(("a", "a"), true).map_err(|_| ())?;
        let special = encoding.get_special_tokens_mask();
        let sequences = encoding.get_sequence_ids();
        let mut values = Vec::with_capacity(encoding.len() * 3);
        for i in 0..encoding.len() {
            let part = match sequences[i] {
                Some(sequence) if special[i] == 0 => sequence as u32 + 1,
                _ => 0,
            };
            values.extend([encoding.get_ids()[i], encoding.get_type_ids()[i], part]);
        }
        Ok(values)
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(values)) => {
            give(values, out);
            OK
        }
        Ok(Err(())) => FAILED,
        Err(_) => PANICKED,
    }
}

/// The id of one token, -1 when the vocabulary lacks it.
///
/// # Safety
/// `tokenizer` is live, `token` has `size` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn qrt_token_to_id(tokenizer: *const QrtTokenizer, token: *const u8, size: usize) -> i64 {
    catch_unwind(AssertUnwindSafe(|| (*tokenizer).inner.token_to_id(&text_of(token, size))))
        .ok()
        .flatten()
        .map_or(-1, i64::from)
}

/// Ids below this number exist (added tokens included).
///
/// # Safety
/// `tokenizer` is live.
#[no_mangle]
pub unsafe extern "C" fn qrt_vocabulary_size(tokenizer: *const QrtTokenizer) -> usize {
    catch_unwind(AssertUnwindSafe(|| (*tokenizer).inner.get_vocab_size(true))).unwrap_or(0)
}
