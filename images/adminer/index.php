<?php
// Adminer, restricted: PostgreSQL only, and only the server that the environment names.

function adminer_object() {
    class RestrictedAdminer extends Adminer {
        /** The server is ours whatever the request says, so this page can't be used to reach others. */
        function credentials() {
            return array(getenv("ADMINER_DEFAULT_SERVER"), $_GET["username"], get_password());
        }

        function name() {
            return "Vrooli database";
        }

        /** The form asks for who and what, not for where. */
        function loginFormField($name, $heading, $value) {
            if ($name == "driver") {
                // The form's script calls this handler, which a list of drivers would have.
                return "<input type='hidden' name='auth[driver]' value='pgsql'>"
                    . script("qsl('input').onchange = function () {};") . "\n";
            }
            if ($name == "server") {
                $server = h(getenv("ADMINER_DEFAULT_SERVER"));
                return $heading . "<input name='auth[server]' value='$server' readonly>\n";
            }
            return $heading . $value;
        }

        /** No other driver: SQLite would open files of this container. */
        function login($login, $password) {
            return DRIVER == "pgsql" ? parent::login($login, $password) : false;
        }
    }

    return new RestrictedAdminer;
}

// Adminer asks its maker for newer versions from the browser, unless this cookie says it has.
$_COOKIE["adminer_version"] = "0";

include "/usr/share/adminer/adminer.php";
