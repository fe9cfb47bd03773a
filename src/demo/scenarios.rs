//! The plots: what each organization of the demo is to show.

use super::world::{WHITELABEL_NAME, WHITELABEL_OWNER};

const TERABYTE: f64 = 1e12;
const GIGABYTE: f64 = 1e9;
const HOUR: f64 = 3600.0;

/// What an organization may use; `None` is no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Bytes.
    pub storage: Option<f64>,
    /// Seconds per year, CPU and GPU added.
    pub compute: Option<f64>,
    /// Seconds per year.
    pub gpu_compute: Option<f64>,
    /// Projects.
    pub projects: Option<u64>,
    /// Users.
    pub users: Option<u64>,
}

/// A trial.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Its id.
    pub id: u64,
    /// Days between the demo's start and the trial's end; negative if it expired before.
    pub ends: f64,
    /// Whether it was upgraded.
    pub upgraded: bool,
}

/// Why a day's numbers are as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) limits: Limits,
    /// Days since the contract started, at the demo's start.
    pub(super) contract: Option<f64>,
    /// Storage in use at the start, and growth per day, in bytes.
    pub(super) storage: (f64, f64),
    /// Compute time per day, CPU and GPU, in seconds.
    pub(super) compute: (f64, f64),
    pub(super) members: u64,
    pub(super) projects: u64,
    pub(super) datasets: &'static [(&'static str, &'static str)],
    pub(super) trial: Option<Trial>,
    pub(super) whitelabel: bool,
    pub(super) developer_profile: bool,
    /// Days since anybody was there, at the start.
    pub(super) asleep: Option<f64>,
}

const NOTHING: Story = Story {
    id: 0,
    name: "",
    limits: Limits { storage: None, compute: None, gpu_compute: None, projects: None, users: None },
    contract: None,
    storage: (0.0, 0.0),
    compute: (0.0, 0.0),
    members: 1,
    projects: 1,
    datasets: &[],
    trial: None,
    whitelabel: false,
    developer_profile: false,
    asleep: None,
};

pub(super) const STORIES: [Story; 11] = [
    // In order, in every respect; its clinical data has items that fail their checklist.
    Story {
        id: 1001,
        name: "Aurora Health",
        limits: Limits {
            storage: Some(20.0 * TERABYTE),
            compute: Some(4000.0 * HOUR),
            gpu_compute: Some(1000.0 * HOUR),
            projects: Some(100),
            users: Some(60),
        },
        contract: Some(200.0),
        storage: (9.1 * TERABYTE, 12.0 * GIGABYTE),
        compute: (4.1 * HOUR, 0.9 * HOUR),
        members: 34,
        projects: 52,
        datasets: &[("ecg-holter", "clinical"), ("gait-study", "clinical"), ("sleep-apnea", "files")],
        ..NOTHING
    },
    // Storage is nearly full, and full in about twelve days.
    Story {
        id: 1002,
        name: "Borealis Wearables",
        limits: Limits {
            storage: Some(10.0 * TERABYTE),
            compute: Some(3000.0 * HOUR),
            gpu_compute: Some(800.0 * HOUR),
            projects: Some(40),
            users: Some(30),
        },
        contract: Some(150.0),
        storage: (8.8 * TERABYTE, 100.0 * GIGABYTE),
        compute: (3.0 * HOUR, 0.5 * HOUR),
        members: 21,
        projects: 31,
        datasets: &[("wrist-accelerometer", "files"), ("ppg-raw", "files"), ("field-trial-7", "files")],
        ..NOTHING
    },
    // Half of the year's compute time is gone after a third of the year.
    Story {
        id: 1003,
        name: "Cascade Robotics",
        limits: Limits {
            storage: Some(15.0 * TERABYTE),
            compute: Some(2000.0 * HOUR),
            gpu_compute: Some(1200.0 * HOUR),
            projects: Some(60),
            users: Some(25),
        },
        contract: Some(120.0),
        storage: (4.2 * TERABYTE, 8.0 * GIGABYTE),
        compute: (3.6 * HOUR, 5.2 * HOUR),
        members: 18,
        projects: 37,
        datasets: &[("warehouse-video", "files"), ("grip-force", "files")],
        ..NOTHING
    },
    // More projects than allowed, and no place for another user.
    Story {
        id: 1004,
        name: "Delta Agritech",
        limits: Limits {
            storage: Some(5.0 * TERABYTE),
            compute: Some(1000.0 * HOUR),
            gpu_compute: None,
            projects: Some(20),
            users: Some(12),
        },
        contract: Some(280.0),
        storage: (1.9 * TERABYTE, 3.0 * GIGABYTE),
        compute: (1.6 * HOUR, 0.2 * HOUR),
        members: 12,
        projects: 23,
        datasets: &[("leaf-images", "files")],
        ..NOTHING
    },
    // No limits at all.
    Story {
        id: 1005,
        name: "Everest Research",
        storage: (31.0 * TERABYTE, 40.0 * GIGABYTE),
        compute: (9.0 * HOUR, 6.0 * HOUR),
        members: 47,
        projects: 88,
        datasets: &[("seismic", "files"), ("avalanche-audio", "files")],
        ..NOTHING
    },
    // A trial that ends in five days.
    Story {
        id: 1006,
        name: "Fjord Startup",
        limits: Limits {
            storage: Some(0.5 * TERABYTE),
            compute: Some(100.0 * HOUR),
            gpu_compute: Some(20.0 * HOUR),
            projects: Some(10),
            users: Some(5),
        },
        storage: (0.12 * TERABYTE, 4.0 * GIGABYTE),
        compute: (0.5 * HOUR, 0.1 * HOUR),
        members: 3,
        projects: 4,
        trial: Some(Trial { id: 31, ends: 5.0, upgraded: false }),
        ..NOTHING
    },
    // A white label: it owns one, and belongs to it.
    Story {
        id: WHITELABEL_OWNER,
        name: WHITELABEL_NAME,
        limits: Limits {
            storage: Some(40.0 * TERABYTE),
            compute: Some(9000.0 * HOUR),
            gpu_compute: Some(3000.0 * HOUR),
            projects: Some(400),
            users: Some(150),
        },
        contract: Some(90.0),
        storage: (11.0 * TERABYTE, 20.0 * GIGABYTE),
        compute: (10.0 * HOUR, 4.0 * HOUR),
        members: 62,
        projects: 140,
        datasets: &[("onboarding-samples", "files")],
        whitelabel: true,
        ..NOTHING
    },
    // A trial that expired and is in its 30 days of grace.
    Story {
        id: 1008,
        name: "Glacier Prototypes",
        storage: (0.09 * TERABYTE, 0.0),
        members: 2,
        projects: 3,
        trial: Some(Trial { id: 28, ends: -12.0, upgraded: false }),
        asleep: Some(12.0),
        ..NOTHING
    },
    // Nobody was there for months.
    Story {
        id: 1009,
        name: "Harbor Dormant Systems",
        limits: Limits {
            storage: Some(8.0 * TERABYTE),
            compute: Some(1500.0 * HOUR),
            gpu_compute: Some(300.0 * HOUR),
            projects: Some(30),
            users: Some(20),
        },
        contract: Some(345.0),
        storage: (2.4 * TERABYTE, 0.0),
        compute: (0.0, 0.0),
        members: 9,
        projects: 14,
        datasets: &[("pump-vibration", "files")],
        asleep: Some(130.0),
        ..NOTHING
    },
    // A name that breaks what is not careful.
    Story {
        id: 1010,
        name: "Ünïcode \"Sensing\" \\ Labs\n株式会社 🛰",
        limits: Limits {
            storage: Some(2.0 * TERABYTE),
            compute: Some(500.0 * HOUR),
            gpu_compute: Some(100.0 * HOUR),
            projects: Some(15),
            users: Some(10),
        },
        contract: Some(40.0),
        storage: (0.7 * TERABYTE, 2.0 * GIGABYTE),
        compute: (0.8 * HOUR, 0.2 * HOUR),
        members: 7,
        projects: 9,
        datasets: &[("日本語 \"data\"", "files")],
        trial: Some(Trial { id: 12, ends: -90.0, upgraded: true }),
        ..NOTHING
    },
    // The user's own corner, whose usage the API does not tell.
    Story {
        id: 1011,
        name: "demo-user",
        storage: (0.02 * TERABYTE, 0.0),
        projects: 2,
        developer_profile: true,
        ..NOTHING
    },
];
