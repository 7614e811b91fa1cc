module vrooli.example/programs/keda

go 1.24

require github.com/kedacore/keda/v2 v2.20.2
