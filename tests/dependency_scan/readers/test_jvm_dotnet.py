"""pom.xml, gradle's files, NuGet's files."""
# ruff: noqa: E501 - a snapshot's lines are as long as what was read

from inline_snapshot import snapshot

from tests.dependency_scan.readers.reading import read, told


def test_a_pom_fills_in_its_properties() -> None:
    text = """\
<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.up</groupId><artifactId>up</artifactId><version>9</version></parent>
  <artifactId>mine</artifactId>
  <licenses><license><name>MIT</name></license></licenses>
  <properties><jackson.version>2.15.0</jackson.version><loop>${loop}</loop></properties>
  <dependencyManagement><dependencies>
    <dependency><groupId>io.managed</groupId><artifactId>bom</artifactId><version>1.0</version><type>pom</type>
      <scope>import</scope></dependency>
    <dependency><groupId>io.managed</groupId><artifactId>core</artifactId><version>3.3</version></dependency>
  </dependencies></dependencyManagement>
  <dependencies>
    <dependency>
      <groupId>com.fasterxml.jackson.core</groupId>
      <artifactId>jackson-databind</artifactId>
      <version> ${jackson.version} </version>
    </dependency>
    <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId>
      <version>${project.version}</version></dependency>
    <dependency><groupId>io.managed</groupId><artifactId>core</artifactId></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>[4.12]</version><scope>test</scope></dependency>
    <dependency><groupId>a</groupId><artifactId>open</artifactId><version>[1,2)</version><optional>true</optional></dependency>
    <dependency><groupId>a</groupId><artifactId>unknown</artifactId><version>${loop}</version></dependency>
    <dependency><artifactId>nameless</artifactId></dependency>
  </dependencies>
  <build><plugins><plugin><artifactId>maven-jar-plugin</artifactId><version>3.3.0</version></plugin></plugins></build>
</project>
"""
    assert told("pom.xml", text) == snapshot(
        [
            "3:71 '9' -> org.up:up 9; build; direct; in parent",
            "16:16 '${jackson.version}' -> com.fasterxml.jackson.core:jackson-databind 2.15.0; runtime; direct",
            "19:15 '${project.version}' -> org.up:sibling 9; runtime; direct",
            "20:57 'core' -> io.managed:core 3.3; runtime; direct",
            "21:79 '[4.12]' -> junit:junit 4.12; test; direct; wants [4.12]",
            "22:74 '[1,2)' -> a:open *; optional; direct; wants [1,2)",
            "23:77 '${loop}' -> a:unknown *; runtime; direct; wants ${loop}",
            "8:82 '1.0' -> io.managed:bom 1.0; build; direct; in dependencyManagement",
            "10:83 '3.3' -> io.managed:core 3.3; runtime; direct; in dependencyManagement",
            "26:76 '3.3.0' -> org.apache.maven.plugins:maven-jar-plugin 3.3.0; build; direct; in plugin",
            "! bad-dependency: line 24: a <dependency> without a name",
        ]
    )
    found = read("pom.xml", text)
    assert (found.project, found.license) == ("mine", "MIT")


def test_a_gradle_lockfile_and_a_version_catalogue() -> None:
    lock = """\
# This is a Gradle generated file for dependency locking.
com.google.guava:guava:32.1.2-jre=compileClasspath,runtimeClasspath
junit:junit:4.13.2=testCompileClasspath,testRuntimeClasspath
org.ann:proc:1.0=annotationProcessor
not a line
empty=other
"""
    assert told("gradle.lockfile", lock) == snapshot(
        [
            "2:23 '32.1.2-jre' -> com.google.guava:guava 32.1.2-jre; runtime; ?; in compileClasspath",
            "3:12 '4.13.2' -> junit:junit 4.13.2; test; ?; in testCompileClasspath",
            "4:13 '1.0' -> org.ann:proc 1.0; build; ?; in annotationProcessor",
            "! bad-dependency: line 5: not a locked module",
        ]
    )
    catalogue = """\
[versions]
kotlin = "1.9.0"
rich = { strictly = "[1.0,2.0[", prefer = "1.5" }
[libraries]
stdlib = { module = "org.jetbrains.kotlin:kotlin-stdlib", version.ref = "kotlin" }
guava = "com.google.guava:guava:32.1.2-jre"
split = { group = "a", name = "b", version = "1.0" }
ranged = { module = "a:c", version.ref = "rich" }
managed = { module = "a:d" }
bad = { version = "1" }
[plugins]
shadow = { id = "com.shadow", version = "8.1.1" }
"""
    assert told("gradle/libs.versions.toml", catalogue) == snapshot(
        [
            "5:21 'org.jetbrains.kotlin:kotlin-stdlib' -> org.jetbrains.kotlin:kotlin-stdlib 1.9.0; runtime; direct",
            "6:32 '32.1.2-jre' -> com.google.guava:guava 32.1.2-jre; runtime; direct",
            "7:46 '1.0' -> a:b 1.0; runtime; direct",
            "8:21 'a:c' -> a:c *; runtime; direct; wants [1.0,2.0[",
            "9:22 'a:d' -> a:d *; runtime; direct",
            "12:41 '8.1.1' -> com.shadow:com.shadow.gradle.plugin 8.1.1; build; direct",
            "! bad-dependency: line 10: the library 'bad' has no name",
        ]
    )


def test_nuget_lock_project_and_config() -> None:
    lock = """\
{
  "version": 1,
  "dependencies": {
    "net8.0": {
      "Newtonsoft.Json": {"type": "Direct", "requested": "[13.0.1, )", "resolved": "13.0.1", "contentHash": "x"},
      "System.Text": {"type": "Transitive", "resolved": "4.3.0", "dependencies": {"newtonsoft.json": "1.0"}},
      "Sibling": {"type": "Project"}
    }
  }
}
"""
    assert told("packages.lock.json", lock) == snapshot(
        [
            "5:84 '13.0.1' -> Newtonsoft.Json 13.0.1; runtime; direct; hashed; wants [13.0.1, ); in net8.0; for System.Text",
            "6:57 '4.3.0' -> System.Text 4.3.0; runtime; indirect; unhashed; in net8.0",
            "7:7 'Sibling' -> Sibling *; runtime; indirect; in net8.0; workspace",
        ]
    )
    project = """\
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><JsonVersion>13.0.1</JsonVersion><AssemblyName>Mine</AssemblyName></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Newtonsoft.Json" Version="$(JsonVersion)" />
    <PackageReference Include='Serilog'><Version>3.1.*</Version></PackageReference>
    <PackageReference Include="Analyzers" Version="[1.2.3]" PrivateAssets="all" />
    <PackageReference Update="Central" />
    <PackageReference Version="1" />
  </ItemGroup>
</Project>
"""
    assert told("src/Mine.csproj", project) == snapshot(
        [
            "4:57 '$(JsonVersion)' -> Newtonsoft.Json 13.0.1; runtime; direct",
            "5:49 '3.1.*' -> Serilog *; runtime; direct; wants 3.1.*",
            "6:51 '[1.2.3]' -> Analyzers 1.2.3; build; direct; wants [1.2.3]",
            "7:30 'Central' -> Central *; runtime; direct",
            "! bad-dependency: line 8: a PackageReference without a name",
        ]
    )
    config = '<packages><package id="jQuery" version="3.1.1" developmentDependency="true" /></packages>'
    assert told("packages.config", config) == snapshot(["1:40 '3.1.1' -> jQuery 3.1.1; dev; ?"])
