// Command readme writes what the README of a Terraform module says about its
// inputs and outputs, from the module itself.
//
//	modules/NAME/*.tf ──► Describe ──► below the marker of modules/NAME/README.md
//
// What stands above the marker is written by people and kept. A module without a
// README, or one whose README has no marker, is an error: somebody has to say what
// the module is for. It knows Terraform's language and nothing of AWS.
//
//	go run . ../modules
package main

//go:generate go run . ../modules
