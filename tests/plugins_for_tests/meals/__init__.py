"""Hot meals (职工热餐): bids of unions that climb the tree, and guests on whom several decide."""
