"""Reading clubs (职工读书会): a small program with one setting, two pages, a job, a menu item and a figure."""
