package drive

import "hwsim/devices/flash"

// Endurance is how much a drive's flash takes at the write amplification of a
// load. The flash is the drive's capacity and its over-provision.
type Endurance struct {
	Cycles int     // programs and erases that each block endures
	TBW    float64 // TB that the host can write
	DWPD   float64 // drive writes a day over the warranty's years
	Years  float64 // at the load's rate of writes, day and night
}

const (
	daysAYear       = 365
	secondsADay     = 86400
	defaultWarranty = 5 // years; usual for drives of data centres
)

// Endurance returns the drive's endurance, nil if nothing was written or the
// drive does not say what its blocks endure.
func (r *Result) Endurance() *Endurance {
	c := r.config
	if c.Flash.Cycles == 0 || r.Drive.WrittenBytes == 0 {
		return nil
	}
	capacity := c.CapacityGB * 1e9
	if capacity == 0 {
		capacity = float64(r.size)
	}
	years := c.WarrantyYears
	if years == 0 {
		years = defaultWarranty
	}
	bytes := capacity / (1 - c.FTL.OverProvision) * float64(c.Flash.Cycles) / r.MediaAmplification()
	rate := per(float64(r.Drive.WrittenBytes), r.Time.Seconds())
	return &Endurance{
		Cycles: c.Flash.Cycles, TBW: bytes / 1e12,
		DWPD:  bytes / capacity / (daysAYear * years),
		Years: per(bytes, rate) / (daysAYear * secondsADay),
	}
}

// MediaAmplification returns the bytes of the pages programmed for each byte
// that the host wrote: a write of part of a page takes the page.
func (r *Result) MediaAmplification() float64 { return r.FTL.Amplification() * r.pageBytes }

// ReadAmplification returns the bytes that left the flash for each byte that the
// host asked for, and the bytes of the pages that the cells read for it. Reads
// of collection, of mapping pages and ahead count.
func (r *Result) ReadAmplification() (channels, cells float64) {
	asked := float64(r.Drive.ReadBytes)
	return per(float64(r.Flash.BytesOut), asked),
		per(float64(r.Flash.Ops[flash.Read])*float64(r.config.Flash.PageBytes), asked)
}
