package nvme

import (
	"hwsim/devices/flash"
	"hwsim/sim"
)

// PowerCut takes the power away and gives it back at a time, which is not
// before that of the last event done. All that was under way is gone: requests
// that the host has not seen completed never will be, programs have not
// happened, and nothing can be read of blocks that were to be erased. The map is
// rebuilt from the flash. The write buffer is empty, or with power-loss
// protection as it was, and is programmed anew. The time that the drive takes to
// come back is not modelled.
func (d *Drive) PowerCut(at sim.Time) {
	var kept []part
	d.parts.each(func(p *part) {
		switch {
		case p.step == collection && p.command.Kind == flash.Erase:
			d.ftl.Spoil(p.command)
		case d.config.PowerLossProtection && p.isBuffered() && !d.ftl.Trimmed(p.logical, p.version):
			kept = append(kept, part{owner: none, logical: p.logical, version: p.version, bytes: p.bytes, write: true})
		}
	})
	d.flash.PowerCut()
	d.ftl.Recover()
	d.idle()
	for _, p := range kept {
		d.enter(at, p)
	}
}

// isBuffered reports whether a part is data in the write buffer.
func (p *part) isBuffered() bool { return p.write && p.owner == none }
