package ftl

import "fmt"

// Check returns what is wrong with the layer's state: a place that is not its
// logical page's, so two logical pages of one place as well, or counts of
// valid pages or free blocks that are not so. The layer never is so; tests ask.
func (f *FTL) Check() error {
	valid := make([]uint16, len(f.blocks))
	for logical, place := range f.places {
		if place == 0 {
			continue
		}
		if r := f.media.records[place-1]; r.logical != uint32(logical)+1 {
			return fmt.Errorf("ftl: logical page %d is at page %d, which holds %d", logical, place-1, int(r.logical)-1)
		}
		valid[(place-1)/uint32(f.flash.Pages)]++
	}
	for b := range f.blocks {
		if valid[b] != f.blocks[b].valid {
			return fmt.Errorf("ftl: block %d has %d valid pages, counted %d", b, valid[b], f.blocks[b].valid)
		}
	}
	for at := range f.planes {
		if err := f.checkFree(at); err != nil {
			return err
		}
	}
	return nil
}

// checkFree checks a plane's free blocks.
func (f *FTL) checkFree(at int) error {
	n := 0
	for i := range f.flash.Blocks {
		b := f.block(at, i)
		if f.blocks[b].state != free {
			continue
		}
		if n++; f.media.fill[b] != 0 {
			return fmt.Errorf("ftl: block %d is free and has %d pages written", b, f.media.fill[b])
		}
	}
	if n != f.planes[at].free {
		return fmt.Errorf("ftl: plane %d has %d free blocks, counted %d", at, n, f.planes[at].free)
	}
	return nil
}
