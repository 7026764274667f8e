//! The benchmark's distributions: every field of an event as a function of the event's number.
//!
//! Ids, hot keys and sizes follow the usual generator of Beam and nexmark-flink: half of the bids go to a hot
//! auction, three of four bids come from a hot bidder, three of four auctions from a hot seller.

use super::EPOCH_EVENTS;
use crate::numbered::{below, random};

/// First id of persons and auctions.
const FIRST_ID: i64 = 1_000;
/// First category; there are five.
const FIRST_CATEGORY: i64 = 10;
/// Persons that still act.
const ACTIVE_PEOPLE: i64 = 1_000;
/// Auctions that still get bids.
const IN_FLIGHT_AUCTIONS: i64 = 100;
/// Ids ahead of the newest that may be referred to.
const LEAD: i64 = 10;
/// Channels beside the four hot ones.
const CHANNELS: u64 = 10_000;
/// Bytes of the pool that random letters are taken from.
const LETTERS: usize = 1 << 16;

const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 10] =
    ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"];
const FIRST_NAMES: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES: [&str; 9] = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

/// What a random number is for; numbers of different uses are independent.
#[derive(Clone, Copy)]
enum Use {
    Name = 1,
    Email,
    CreditCard,
    City,
    State,
    Seller,
    Category,
    Price,
    Reserve,
    Expires,
    Item,
    Description,
    Auction,
    Bidder,
    Channel,
    Extra,
    Other,
}

/// The three kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    Person = 0,
    Auction = 1,
    Bid = 2,
}

/// The kind of an event.
#[inline]
pub(super) fn kind(event: u64) -> EventKind {
    match event % EPOCH_EVENTS {
        0 => EventKind::Person,
        1..4 => EventKind::Auction,
        _ => EventKind::Bid,
    }
}

/// The generator.
pub(super) struct Events {
    seed: u64,
    base_ms: i64,
    events_per_second: u64,
    extra_percent: u64,
    letters: Vec<u8>,
    channels: Vec<(String, String)>,
}

impl Events {
    pub(super) fn new(seed: u64, base_ms: i64, events_per_second: u64, extra_percent: u64) -> Self {
        let letters = (0..LETTERS as u64).map(|i| b'a' + below(random(seed, i, 0), 26) as u8).collect();
        let mut events = Self { seed, base_ms, events_per_second, extra_percent, letters, channels: vec![] };
        events.channels = (0..HOT_CHANNELS.len() as u64 + CHANNELS).map(|i| events.make_channel(i)).collect();
        events
    }

    /// Name and URL of a channel; the first four are the hot ones. A tenth of the others has no `channel_id`.
    fn make_channel(&self, index: u64) -> (String, String) {
        let mut url = String::from("https://www.nexmark.com/");
        for part in 0..3 {
            url.push_str(if part > 0 { "/" } else { "" });
            let start = below(self.bits(index * 3 + part, Use::Other), (LETTERS - 5) as u64) as usize;
            url.push_str(&String::from_utf8_lossy(&self.letters[start..start + 5]));
        }
        url.push_str("/item.htm?query=1");
        let Some(number) = index.checked_sub(HOT_CHANNELS.len() as u64) else {
            return (HOT_CHANNELS[index as usize].to_string(), url);
        };
        if below(self.bits(index, Use::Channel), 10) > 0 {
            url.push_str(&format!("&channel_id={}", ((number as u32).reverse_bits() as i32).unsigned_abs()));
        }
        (format!("channel-{number}"), url)
    }

    #[inline]
    fn bits(&self, event: u64, purpose: Use) -> u64 {
        random(self.seed, event, purpose as u64)
    }

    #[inline]
    fn pick<'a>(&self, event: u64, purpose: Use, from: &[&'a str]) -> &'a str {
        from[below(self.bits(event, purpose), from.len() as u64) as usize]
    }

    /// Appends `count` letters chosen by `bits`.
    #[inline]
    fn letters(&self, out: &mut Vec<u8>, bits: u64, count: usize) {
        let count = count.min(LETTERS / 2);
        let start = below(bits, (LETTERS - count) as u64) as usize;
        out.extend_from_slice(&self.letters[start..start + count]);
    }

    /// Event time in milliseconds since the epoch.
    #[inline]
    pub(super) fn time_ms(&self, event: u64) -> i64 {
        self.base_ms + (u128::from(event) * 1_000 / u128::from(self.events_per_second)) as i64
    }

    // Persons.

    /// The newest person at an event, counted from 0.
    #[inline]
    fn last_person(event: u64) -> i64 {
        (event / EPOCH_EVENTS) as i64
    }

    pub(super) fn person_id(&self, event: u64) -> i64 {
        FIRST_ID + Self::last_person(event)
    }

    /// Some person that may act at the event.
    #[inline]
    fn any_person(event: u64, bits: u64) -> i64 {
        let count = Self::last_person(event) + 1;
        let active = count.min(ACTIVE_PEOPLE);
        FIRST_ID + count - active + below(bits, (active + LEAD) as u64) as i64
    }

    pub(super) fn person_name(&self, event: u64, out: &mut Vec<u8>) {
        let bits = self.bits(event, Use::Name);
        out.extend_from_slice(FIRST_NAMES[below(bits, 11) as usize].as_bytes());
        out.push(b' ');
        out.extend_from_slice(LAST_NAMES[below(bits.rotate_left(32), 9) as usize].as_bytes());
    }

    pub(super) fn email(&self, event: u64, out: &mut Vec<u8>) {
        let bits = self.bits(event, Use::Email);
        self.letters(out, bits, 7);
        out.push(b'@');
        self.letters(out, bits.rotate_left(32), 5);
        out.extend_from_slice(b".com");
    }

    pub(super) fn credit_card(&self, event: u64, out: &mut Vec<u8>) {
        let bits = self.bits(event, Use::CreditCard);
        for group in 0..4 {
            if group > 0 {
                out.push(b' ');
            }
            let number = below(bits.rotate_left(16 * group), 10_000);
            out.extend([1_000, 100, 10, 1].map(|power| b'0' + (number / power % 10) as u8));
        }
    }

    pub(super) fn city(&self, event: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.pick(event, Use::City, &CITIES).as_bytes());
    }

    pub(super) fn state(&self, event: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.pick(event, Use::State, &STATES).as_bytes());
    }

    // Auctions.

    /// The newest auction at an event, counted from 0; -1 before the first.
    #[inline]
    fn last_auction(event: u64) -> i64 {
        let (epoch, offset) = ((event / EPOCH_EVENTS) as i64, (event % EPOCH_EVENTS) as i64);
        epoch * 3 + offset.min(3) - 1
    }

    pub(super) fn auction_id(&self, event: u64) -> i64 {
        FIRST_ID + Self::last_auction(event)
    }

    pub(super) fn item_name(&self, event: u64, out: &mut Vec<u8>) {
        let bits = self.bits(event, Use::Item);
        self.letters(out, bits, 3 + below(bits.rotate_left(32), 18) as usize);
    }

    pub(super) fn description(&self, event: u64, out: &mut Vec<u8>) {
        let bits = self.bits(event, Use::Description);
        self.letters(out, bits, 3 + below(bits.rotate_left(32), 98) as usize);
    }

    pub(super) fn initial_bid(&self, event: u64) -> i64 {
        price(self.bits(event, Use::Price))
    }

    pub(super) fn reserve(&self, event: u64) -> i64 {
        self.initial_bid(event) + price(self.bits(event, Use::Reserve))
    }

    pub(super) fn expires_ms(&self, event: u64) -> i64 {
        // About a hundred auctions are open at a time: as many as 100 * 50 / 3 events bring.
        let horizon_ms = (1_666 * 1_000 / self.events_per_second).max(1);
        self.time_ms(event) + 1 + below(self.bits(event, Use::Expires), 2 * horizon_ms) as i64
    }

    pub(super) fn seller(&self, event: u64) -> i64 {
        let bits = self.bits(event, Use::Seller);
        match bits % 4 {
            0 => Self::any_person(event, bits),
            _ => FIRST_ID + Self::last_person(event) / 4 * 4,
        }
    }

    pub(super) fn category(&self, event: u64) -> i64 {
        FIRST_CATEGORY + below(self.bits(event, Use::Category), 5) as i64
    }

    // Bids.

    pub(super) fn bid_auction(&self, event: u64) -> i64 {
        let bits = self.bits(event, Use::Auction);
        let last = Self::last_auction(event);
        if bits & 1 == 0 {
            return FIRST_ID + last / 100 * 100;
        }
        let oldest = (last - IN_FLIGHT_AUCTIONS).max(0);
        FIRST_ID + oldest + below(bits, (last - oldest + 1 + LEAD) as u64) as i64
    }

    pub(super) fn bidder(&self, event: u64) -> i64 {
        let bits = self.bits(event, Use::Bidder);
        match bits % 4 {
            0 => Self::any_person(event, bits),
            _ => FIRST_ID + Self::last_person(event) / 100 * 100 + 1,
        }
    }

    pub(super) fn bid_price(&self, event: u64) -> i64 {
        price(self.bits(event, Use::Price))
    }

    #[inline]
    fn bid_channel(&self, event: u64) -> &(String, String) {
        let bits = self.bits(event, Use::Channel);
        let hot = HOT_CHANNELS.len() as u64;
        let index = if bits & 1 == 0 { below(bits, hot) } else { hot + below(bits, CHANNELS) };
        &self.channels[index as usize]
    }

    pub(super) fn channel(&self, event: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bid_channel(event).0.as_bytes());
    }

    pub(super) fn url(&self, event: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bid_channel(event).1.as_bytes());
    }

    /// The filler that brings an event to its average size, give or take a fifth.
    pub(super) fn extra(&self, event: u64, out: &mut Vec<u8>) {
        let average = match kind(event) {
            EventKind::Person => 110,
            EventKind::Auction => 390,
            EventKind::Bid => 68,
        };
        let bits = self.bits(event, Use::Extra);
        let spread = average / 5;
        let count = average - spread + below(bits.rotate_left(32), 2 * spread);
        self.letters(out, bits, (count * self.extra_percent / 100) as usize);
    }
}

/// A price from 100 to 100 million, uniform in its magnitude.
#[inline]
fn price(bits: u64) -> i64 {
    let uniform = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    (10_f64.powf(uniform * 6.0) * 100.0).round() as i64
}
