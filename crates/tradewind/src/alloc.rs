//! Which allocator serves this process: mimalloc for roles that work, the C library's for those that wait.
//!
//! There are as many shims as instances, and a supervisor, an agent and a holder of sockets that do nothing most of their
//! lives. mimalloc keeps several megabytes for a process that allocates next to nothing; the C library keeps a few pages.
//! The choice is made before the first allocation, from the first argument, and holds for the life of the process.
//!
//! Where mimalloc serves for long it does so without huge pages: one byte used would hold two megabytes, 25 for a server
//! at rest, and the edge is no faster with them. The kernel hands this setting down to children, so it is none for a role
//! that starts instances.

use mimalloc::MiMalloc;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    ffi::{CStr, c_char, c_int},
    sync::atomic::{AtomicBool, Ordering},
};

/// Roles that mostly wait.
const SMALL: [&CStr; 6] = [c"shim", c"up", c"agent", c"edge", c"git-hook", c"git-credential"];
/// Roles that work, and stay.
const LASTING: [&CStr; 2] = [c"server", c"edge-worker"];

static IS_SMALL: AtomicBool = AtomicBool::new(false);

/// Called by the C library before `main`, with its arguments.
extern "C" fn choose(argc: c_int, argv: *const *const c_char, _env: *const *const c_char) {
    if argc < 2 || argv.is_null() {
        return;
    }
    // SAFETY: the C library passes `argc` pointers to strings that live as long as the process.
    let role = unsafe { CStr::from_ptr(*argv.add(1)) };
    IS_SMALL.store(SMALL.contains(&role), Ordering::Relaxed);
    if LASTING.contains(&role) {
        // SAFETY: it takes numbers only. A kernel that refuses has its reasons, and costs memory only.
        let _ = unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static CHOOSE: extern "C" fn(c_int, *const *const c_char, *const *const c_char) = choose;

pub struct ByRole;

// SAFETY: both allocators keep the contract, and a process uses one of them from its first allocation to its last,
// because nothing allocates before `choose` has run and nothing changes its answer.
unsafe impl GlobalAlloc for ByRole {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { if IS_SMALL.load(Ordering::Relaxed) { System.alloc(layout) } else { MiMalloc.alloc(layout) } }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe {
            if IS_SMALL.load(Ordering::Relaxed) { System.alloc_zeroed(layout) } else { MiMalloc.alloc_zeroed(layout) }
        }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe {
            if IS_SMALL.load(Ordering::Relaxed) {
                System.realloc(ptr, layout, size)
            } else {
                MiMalloc.realloc(ptr, layout, size)
            }
        }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        unsafe {
            if IS_SMALL.load(Ordering::Relaxed) { System.dealloc(ptr, layout) } else { MiMalloc.dealloc(ptr, layout) }
        }
    }
}
