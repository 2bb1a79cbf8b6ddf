"""Reads the float32 weights back out of a dynamically quantised ONNX graph of a BERT model.

What lives here: dequantisation, Hugging Face parameter names, and a float32 copy of the graph for
ONNX Runtime. What does not: model folders and their checks (convert_onnx_cross_encoder.py).

The graphs meant here come from onnxruntime's dynamic quantiser: a product `x @ W` is
DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul with W stored as one int8 tensor [in, out] with one scale and
one zero point, or one of each a column; an embedding is Gather -> DequantizeLinear over a uint8 table [rows, width].
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def _initializers(graph):
    return {tensor.name: tensor for tensor in graph.initializer}


def _dequantised(initializers, base):
    """float32 of `<base>_quantized`; (q - zero_point) is taken in int32, for it leaves the 8-bit range.

    One scale and zero point for the tensor, or one for each column.
    """
    quantised = numpy_helper.to_array(initializers[base + "_quantized"]).astype(np.int32)
    zero_point = numpy_helper.to_array(initializers[base + "_zero_point"]).astype(np.int32)
    scale = numpy_helper.to_array(initializers[base + "_scale"])
    if scale.size not in (1, quantised.shape[-1]) or zero_point.size != scale.size:
        raise ValueError(f"{base}: a scale for the tensor or for each column expected, found shape {scale.shape}")
    return ((quantised - zero_point).astype(np.float32) * scale.astype(np.float32)).astype(np.float32)


def _base(quantised_name):
    suffix = "_quantized"
    if not quantised_name.endswith(suffix):
        raise ValueError(f"{quantised_name}: a name ending in {suffix} expected")
    return quantised_name[: -len(suffix)]


def _parameter_name(node_name):
    """`/bert/encoder/layer.0/attention/self/query/MatMul_quant` -> `bert.encoder.layer.0.attention.self.query.weight`."""
    scope = node_name.strip("/").split("/")[:-1]
    return ".".join(scope) + ".weight"


def hugging_face_weights(model):
    """Every parameter of the graph as float32 under its Hugging Face name; linear weights as [out, in]."""
    initializers = _initializers(model.graph)
    weights = {}
    for name, tensor in initializers.items():
        if tensor.data_type == onnx.TensorProto.FLOAT and not name.endswith("_scale"):
            weights[name] = numpy_helper.to_array(tensor)
    for node in model.graph.node:
        if node.op_type == "MatMulInteger":
            matrix = _dequantised(initializers, _base(node.input[1]))
            weights[_parameter_name(node.name)] = np.ascontiguousarray(matrix.T)
        elif node.op_type == "Gather" and node.input[0] in initializers:
            base = _base(node.input[0])
            weights[base] = _dequantised(initializers, base)
    return weights


def float32_graph(model):
    """The same graph with plain float32 MatMul and Gather: what the weights give without the quantisation of activations."""
    graph = model.graph
    initializers = _initializers(graph)
    producer = {output: node for node in graph.node for output in node.output}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    tensors = [t for name, t in initializers.items()
               if t.data_type == onnx.TensorProto.FLOAT and not name.endswith("_scale")]
    replacement, dropped = {}, set()
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            base = _base(node.input[1])
            (cast,) = readers[node.output[0]]
            (scaled,) = readers[cast.output[0]]
            scales = producer[next(n for n in scaled.input if n != cast.output[0])]
            quantise = producer[node.input[0]]
            tensors.append(numpy_helper.from_array(_dequantised(initializers, base), base))
            replacement[node.name] = helper.make_node("MatMul", [quantise.input[0], base], [scaled.output[0]], node.name)
            dropped.update(n.name for n in (cast, scaled, scales, quantise))
        elif node.op_type == "Gather" and node.input[0] in initializers:
            base = _base(node.input[0])
            (dequantise,) = readers[node.output[0]]
            tensors.append(numpy_helper.from_array(_dequantised(initializers, base), base))
            replacement[node.name] = helper.make_node("Gather", [base, node.input[1]], [dequantise.output[0]], node.name)
            dropped.add(dequantise.name)

    nodes = [replacement.get(node.name, node) for node in graph.node if node.name not in dropped]
    plain = helper.make_graph(_ordered(nodes, graph, tensors), graph.name + "_float32",
                              list(graph.input), list(graph.output), tensors)
    result = helper.make_model(plain, opset_imports=model.opset_import, ir_version=model.ir_version)
    onnx.checker.check_model(result)
    return result


def _ordered(nodes, graph, tensors):
    """Topological order: a quantised product's output appears later in the list than the node replacing it."""
    known = {value.name for value in graph.input} | {tensor.name for tensor in tensors} | {""}
    ordered, waiting = [], nodes
    while waiting:
        later = []
        for node in waiting:
            if all(name in known for name in node.input):
                ordered.append(node)
                known.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise ValueError(f"{len(later)} nodes of the graph have inputs that nothing produces, first {later[0].name}")
        waiting = later
    return ordered
