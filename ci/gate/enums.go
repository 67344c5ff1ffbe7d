package gate

import (
	_ "embed"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// enumList has a line for each type of Kubernetes' API whose values are fixed, with these values, by
// tabs. TestEnums makes it.
//
//go:embed enums.txt
var enumList string

// enums are the values of the types in enumList, by package and name.
var enums = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(enumList) {
		words := strings.Split(strings.TrimSpace(line), "\t")
		all["k8s.io/api/"+words[0]] = words[1:]
	}
	return all
})

// fixedValues finds values in an object that its type does not have, such as an operator Exist. The status does not
// count: a server writes it.
func fixedValues(v reflect.Value, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return fixedValues(v.Elem(), at)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case !f.IsExported(), at == nil && name == "status":
			case name == "": // inline
				errs = append(errs, fixedValues(v.Field(i), at)...)
			default:
				errs = append(errs, fixedValues(v.Field(i), at.Child(name))...)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			errs = append(errs, fixedValues(v.Index(i), at.Index(i))...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			errs = append(errs, fixedValues(v.MapIndex(key), at.Key(fmt.Sprint(key)))...)
		}
	case reflect.String:
		known := enums()[v.Type().PkgPath()+"."+v.Type().Name()]
		if len(known) > 0 && v.String() != "" && !slices.Contains(known, v.String()) {
			errs = append(errs, field.NotSupported(at, v.String(), known))
		}
	}
	return errs
}
