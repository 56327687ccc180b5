//! A small project of each kind whose tools are here, with nothing but what `tradewind init` wrote: pushed, built, rolled
//! out, and asked through the edge.

use crate::{
    checkout::Checkout,
    harness::{Folder, until},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

/// Where jobs and instances find programs, whatever the path of whoever runs the test is.
const PATH: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/bin"];
const GREETING: &str = "fair winds";

fn is_missing(program: &str) -> bool {
    !PATH.iter().any(|folder| Path::new(folder).join(program).exists())
}

fn get(edge: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(edge).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// `kind` is what the program says it found.
fn deploys(kind: &str, tools: &[&str], files: &[(&str, &str)]) {
    let missing: Vec<&str> = tools.iter().copied().filter(|t| is_missing(t)).collect();
    if !missing.is_empty() {
        println!("SKIPPED: {kind}: no {} in {}", missing.join(", "), PATH.join(":"));
        return;
    }
    let folder = Folder::new();
    let up = folder.up();
    let checkout = Checkout::new(&folder);
    checkout.commit("A project", files);
    let (told, code) = checkout.tradewind("init --service shop");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(kind), "{told}");
    assert_eq!(checkout.tradewind("check").1, Some(0));
    checkout.commit("Deploy with Tradewind", &[]);
    checkout.log_in(&up);
    let (said, code) = checkout.tradewind("push --wait");
    assert_eq!(code, Some(0), "{kind}: {said}");
    let answer = until("the edge has heard", || get(folder.edge).filter(|a| !a.starts_with("HTTP/1.1 503")));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(GREETING), "{kind}: {answer}");
}

#[test]
fn node() {
    let server = "require('node:http').createServer((asked, answer) => {
  answer.writeHead(asked.url === '/healthz' || asked.url === '/' ? 200 : 404);
  answer.end('fair winds');
}).listen(process.env.PORT, '127.0.0.1');\n";
    let manifest = r#"{ "name": "shop", "scripts": { "start": "node server.js", "test": "node --test" } }"#;
    let test = "require('node:test')('it adds up', () => require('node:assert').equal(1 + 1, 2));\n";
    let files = [("package.json", manifest), ("server.js", server), ("test/sum.test.js", test)];
    deploys("Node.js", &["node", "npm"], &files);
}

#[test]
fn python() {
    let main = "import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ('/', '/healthz') else 404)
        self.end_headers()
        self.wfile.write(b'fair winds')

if __name__ == '__main__':
    ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()\n";
    let test = "import unittest, main

class Shop(unittest.TestCase):
    def test_it_can_answer(self):
        self.assertTrue(main.Answer.do_GET)\n";
    deploys("Python", &["python3"], &[("main.py", main), ("test_main.py", test)]);
}

/// What it needs is installed where it will run, once per release.
#[test]
fn python_with_a_package_of_its_own() {
    let pyproject = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n
[project]\nname = \"shop\"\nversion = \"1\"\ndependencies = []\n";
    // A wheel by hand, so that no index is asked.
    let backend = "import zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = 'shop-1-py3-none-any.whl'
    with zipfile.ZipFile(folder + '/' + name, 'w') as z:
        z.writestr('greeting.py', 'WORDS = \"fair winds\"')
        z.writestr('shop-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: shop\\nVersion: 1\\n')
        z.writestr('shop-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        z.writestr('shop-1.dist-info/RECORD', '')
    return name\n";
    let main = "import os, greeting
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(greeting.WORDS.encode())

ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()\n";
    let has_venv = Path::new("/usr/lib/python3/dist-packages/pip").exists()
        || std::process::Command::new("/usr/bin/python3").args(["-c", "import ensurepip"]).status().unwrap().success();
    if !has_venv {
        println!("SKIPPED: Python with packages: python3-venv is not installed");
        return;
    }
    deploys("Python", &["python3"], &[("pyproject.toml", pyproject), ("backend.py", backend), ("main.py", main)]);
}

#[test]
fn php() {
    let page = "<?php\nif (!in_array($_SERVER['REQUEST_URI'], ['/', '/healthz'])) { http_response_code(404); }\necho 'fair winds';\n";
    deploys("PHP", &["php"], &[("index.php", page)]);
}

#[test]
fn java() {
    let main = "import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Main {
    public static void main(String[] args) throws Exception {
        var server = HttpServer.create(new InetSocketAddress(\"127.0.0.1\", Integer.parseInt(System.getenv(\"PORT\"))), 64);
        server.createContext(\"/\", asked -> {
            byte[] words = \"fair winds\".getBytes();
            asked.sendResponseHeaders(200, words.length);
            asked.getResponseBody().write(words);
            asked.close();
        });
        server.start();
    }
}\n";
    // A project's wrapper is its own: this one needs nothing but a JDK.
    let wrapper = "#!/bin/sh\nset -eu\nmkdir -p target/classes
javac -d target/classes src/main/java/Main.java
jar --create --file target/shop-1.jar --main-class Main -C target/classes .\n";
    let pom = "<project><artifactId>shop</artifactId><version>1</version></project>\n";
    let files = [("pom.xml", pom), ("mvnw", wrapper), ("src/main/java/Main.java", main)];
    deploys("Java", &["java", "javac", "jar"], &files);
}

#[test]
fn go() {
    let main = "package main

import (
\t\"fmt\"
\t\"net/http\"
\t\"os\"
)

func greeting() string { return \"fair winds\" }

func main() {
\tanswer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, greeting()) }
\thttp.HandleFunc(\"/healthz\", answer)
\thttp.HandleFunc(\"/\", answer)
\tpanic(http.ListenAndServe(\"127.0.0.1:\"+os.Getenv(\"PORT\"), nil))
}\n";
    let test = "package main\n\nimport \"testing\"\n
func TestGreeting(t *testing.T) {\n\tif greeting() == \"\" {\n\t\tt.Fatal(\"nothing to say\")\n\t}\n}\n";
    let files = [("go.mod", "module example.com/shop\n\ngo 1.19\n"), ("main.go", main), ("main_test.go", test)];
    deploys("Go", &["go"], &files);
}

#[test]
fn rust() {
    let main = "use std::{env, io::{Read, Write}, net::TcpListener};

fn main() {
    let port = env::var(\"PORT\").unwrap();
    for stream in TcpListener::bind(format!(\"127.0.0.1:{port}\")).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b\"HTTP/1.1 200 OK\\r\\ncontent-length: 10\\r\\nconnection: close\\r\\n\\r\\nfair winds\");
    }
}\n";
    let files = [
        ("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2021\"\n"),
        ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"shop\"\nversion = \"1.0.0\"\n"),
        ("src/main.rs", main),
    ];
    deploys("Rust", &["cargo", "cc"], &files);
}

#[test]
fn dotnet() {
    let project = "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net8.0</TargetFramework>\
                   <RollForward>Major</RollForward></PropertyGroup></Project>\n";
    let program = "var app = WebApplication.CreateBuilder(args).Build();
app.MapGet(\"/\", () => \"fair winds\");
app.MapGet(\"/healthz\", () => \"ok\");
app.Run();\n";
    deploys(".NET", &["dotnet"], &[("Shop.csproj", project), ("Program.cs", program)]);
}

#[test]
fn static_site() {
    deploys("static site", &["python3"], &[("index.html", "<!doctype html>\n<p>fair winds</p>\n")]);
}
