"""How large a network is: parameters, multiply-adds, peak activation memory, of Keras models and of TFLite graphs."""
