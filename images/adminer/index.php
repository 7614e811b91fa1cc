<?php
// Adminer, restricted to PostgreSQL on the server in ADMINER_DEFAULT_SERVER.

function adminer_object() {
    class RestrictedAdminer extends Adminer {
        /** Always use the configured server, so that requests can't connect to others. */
        function credentials() {
            return array(getenv("ADMINER_DEFAULT_SERVER"), $_GET["username"], get_password());
        }

        function name() {
            return "Vrooli database";
        }

        /** Hide the field for the driver, and make the field for the server read-only. */
        function loginFormField($name, $heading, $value) {
            if ($name == "driver") {
                // The form's script calls this handler, which the list of drivers would define.
                return "<input type='hidden' name='auth[driver]' value='pgsql'>"
                    . script("qsl('input').onchange = function () {};") . "\n";
            }
            if ($name == "server") {
                $server = h(getenv("ADMINER_DEFAULT_SERVER"));
                return $heading . "<input name='auth[server]' value='$server' readonly>\n";
            }
            return $heading . $value;
        }

        /** Allow no other driver: SQLite would open files in this container. */
        function login($login, $password) {
            return DRIVER == "pgsql" ? parent::login($login, $password) : false;
        }
    }

    return new RestrictedAdminer;
}

// Adminer stores what anybody posts here as its newest version, without a login, and reads it on
// every page: a value that is not a text breaks all pages for a day (CVE-2026-25892).
if (isset($_GET["script"]) && $_GET["script"] === "version") {
    http_response_code(404);
    exit;
}

// Prevents Adminer from checking for new versions in the browser.
$_COOKIE["adminer_version"] = "0";

include "/usr/share/adminer/adminer.php";
