def test_x(start, own_sql):
    s = start()
    print(s.printed())
