//! Currencies: the codes of ISO 4217 with their exponents, and ones of one's
//! own, which declare theirs.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

/// Digits after the point of a currency at most.
const EXPONENT_MAX: u8 = 6;

/// Codes of ISO 4217 by exponent (list one, 2025).
const ISO: [(u8, &str); 4] = [
    (
        0,
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    ),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP \
         BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR \
         FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR \
         KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV \
         MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR \
         SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH \
         USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// A currency: three letters and the digits after the point of its smallest
/// coin. Written as `EUR`; one of one's own as `PTS/0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// A text that names no currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency: a code of ISO 4217, or three letters and an exponent such as PTS/0")]
pub struct InvalidCurrency;

impl Currency {
    /// The euro.
    pub const EUR: Self = Self {
        code: *b"EUR",
        exponent: 2,
    };
    /// The dollar of the United States.
    pub const USD: Self = Self {
        code: *b"USD",
        exponent: 2,
    };
    /// The yen, which has no smaller coin.
    pub const JPY: Self = Self {
        code: *b"JPY",
        exponent: 0,
    };

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// Digits after the point of its smallest coin.
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// The smallest coin's digits of an ISO 4217 code.
    fn iso(code: &str) -> Option<u8> {
        ISO.iter()
            .find(|(_, codes)| codes.split_ascii_whitespace().any(|known| known == code))
            .map(|(exponent, _)| *exponent)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        match Self::iso(self.code()) {
            Some(_) => Ok(()),
            None => write!(f, "/{}", self.exponent),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let (code, declared) = match text.split_once('/') {
            Some((code, exponent)) => (code, Some(exponent)),
            None => (text, None),
        };
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| InvalidCurrency)?;
        if !bytes.iter().all(u8::is_ascii_uppercase) {
            return Err(InvalidCurrency);
        }
        let exponent = match (Self::iso(code), declared) {
            (Some(exponent), None) => exponent,
            (None, Some(declared)) => declared.parse().map_err(|_| InvalidCurrency)?,
            (Some(_), Some(_)) | (None, None) => return Err(InvalidCurrency),
        };
        if exponent > EXPONENT_MAX {
            return Err(InvalidCurrency);
        }
        Ok(Self {
            code: bytes,
            exponent,
        })
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
