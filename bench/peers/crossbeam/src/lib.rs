/* SPDX-License-Identifier: MIT OR Apache-2.0 */
//! crossbeam-channel's bounded channel, for bench/peers/crossbeam.c: the loops of bench/loop.h, as
//! those of C cannot be inlined here. An event is an array of words, whose number is a constant.

use crossbeam_channel::{bounded, Receiver, Sender};
use std::ffi::c_void;

const MARK: u32 = 48; // where a value of several producers tells whose it is
const PRODUCERS: usize = 8;

/// What one thread is to do, and what it saw: struct crossbeam_task of crossbeam.c.
#[repr(C)]
pub struct Task {
	events: u64,
	mark: u64,  // what is added to each value sent
	value: u64, // sent: the last event's, without the mark
	sum: u64,   // received
	torn: u64,  // not 0: an event's words disagreed
	wrong: u64, // not 0: a producer's events came out of order
	seen: [u64; PRODUCERS],
}

trait Carrier {
	fn produce(&self, task: &mut Task);
	fn consume(&self, task: &mut Task);
	fn consume_marked(&self, task: &mut Task);
	/// Send each value, and await its echo on another channel of the same size.
	fn serve(&self, back: &Channel, task: &mut Task);
	/// Send each event that comes back on another channel.
	fn answer(&self, back: &Channel, task: &mut Task);
	/// Which type this is: Ends<N> tells its N.
	fn ends(&self) -> (*const c_void, usize);
}

pub struct Channel(Box<dyn Carrier>);

struct Ends<const N: usize> {
	sender: Sender<[u64; N]>,
	receiver: Receiver<[u64; N]>,
}

fn torn<const N: usize>(event: &[u64; N]) -> u64 {
	event.iter().fold(0, |torn, word| torn | (word ^ event[0]))
}

impl<const N: usize> Ends<N> {
	fn open(capacity: usize) -> Channel {
		let (sender, receiver) = bounded(capacity);

		Channel(Box::new(Ends::<N> { sender, receiver }))
	}

	// Both ends are open as long as this is: neither call can fail.
	#[inline(always)]
	fn send(&self, value: u64) {
		self.sender.send([value; N]).unwrap();
	}

	#[inline(always)]
	fn receive(&self) -> [u64; N] {
		self.receiver.recv().unwrap()
	}

	fn of(channel: &Channel) -> &Ends<N> {
		let (ends, words) = channel.0.ends();

		assert_eq!(words, N, "two channels of different events");
		// SAFETY: it is the address of an Ends<N> that lives as long as the channel.
		unsafe { &*(ends as *const Ends<N>) }
	}
}

impl<const N: usize> Carrier for Ends<N> {
	fn produce(&self, task: &mut Task) {
		let (mark, mut value) = (task.mark, task.value);

		for _ in 0..task.events {
			value += 1;
			self.send(mark + value);
		}
		task.value = value;
	}

	fn consume(&self, task: &mut Task) {
		let (mut sum, mut bad) = (0u64, 0);

		for _ in 0..task.events {
			let event = self.receive();

			sum = sum.wrapping_add(event[0]);
			bad |= torn(&event);
		}
		task.sum = task.sum.wrapping_add(sum);
		task.torn |= bad;
	}

	fn consume_marked(&self, task: &mut Task) {
		let (mut sum, mut bad, mut wrong) = (0u64, 0, 0);

		for _ in 0..task.events {
			let event = self.receive();
			let seen = &mut task.seen[(event[0] >> MARK) as usize & (PRODUCERS - 1)];

			*seen += 1;
			wrong |= *seen ^ (event[0] & ((1 << MARK) - 1));
			sum = sum.wrapping_add(event[0]);
			bad |= torn(&event);
		}
		task.sum = task.sum.wrapping_add(sum);
		task.torn |= bad;
		task.wrong |= wrong;
	}

	fn serve(&self, back: &Channel, task: &mut Task) {
		let back = Self::of(back);
		let (mut value, mut bad) = (task.value, 0);

		for _ in 0..task.events {
			value += 1;
			self.send(value);

			let echo = back.receive();

			bad |= torn(&echo) | (echo[0] ^ value);
		}
		task.value = value;
		task.torn |= bad;
	}

	fn answer(&self, back: &Channel, task: &mut Task) {
		let back = Self::of(back);
		let mut bad = 0;

		for _ in 0..task.events {
			let event = self.receive();

			back.send(event[0]);
			bad |= torn(&event);
		}
		task.torn |= bad;
	}

	fn ends(&self) -> (*const c_void, usize) {
		(self as *const Self as *const c_void, N)
	}
}

/// A channel of so many slots; null if its events are not of one to eight words, of 16 or 32.
#[no_mangle]
pub extern "C" fn crossbeam_open(words: u32, capacity: u64) -> *mut Channel {
	let capacity = capacity as usize;
	let channel = match words {
		1 => Ends::<1>::open(capacity),
		2 => Ends::<2>::open(capacity),
		3 => Ends::<3>::open(capacity),
		4 => Ends::<4>::open(capacity),
		5 => Ends::<5>::open(capacity),
		6 => Ends::<6>::open(capacity),
		7 => Ends::<7>::open(capacity),
		8 => Ends::<8>::open(capacity),
		16 => Ends::<16>::open(capacity),
		32 => Ends::<32>::open(capacity),
		_ => return std::ptr::null_mut(),
	};

	Box::into_raw(Box::new(channel))
}

/// # Safety
/// The channel is one that crossbeam_open() gave, and nobody uses it any more.
#[no_mangle]
pub unsafe extern "C" fn crossbeam_close(channel: *mut Channel) {
	drop(Box::from_raw(channel));
}

/// # Safety
/// Of this and all below: the channels are open, and nobody else uses the task meanwhile.
#[no_mangle]
pub unsafe extern "C" fn crossbeam_produce(channel: *const Channel, task: *mut Task) {
	(*channel).0.produce(&mut *task);
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn crossbeam_consume(channel: *const Channel, task: *mut Task) {
	(*channel).0.consume(&mut *task);
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn crossbeam_consume_marked(channel: *const Channel, task: *mut Task) {
	(*channel).0.consume_marked(&mut *task);
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn crossbeam_serve(there: *const Channel, back: *const Channel,
					 task: *mut Task) {
	(*there).0.serve(&*back, &mut *task);
}

/// # Safety
/// As above.
#[no_mangle]
pub unsafe extern "C" fn crossbeam_answer(there: *const Channel, back: *const Channel,
					  task: *mut Task) {
	(*there).0.answer(&*back, &mut *task);
}
