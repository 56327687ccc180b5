//! What can be wrong with a YAML file before anyone looks at its meaning.

crate::faults! {
    SYNTAX = "TW-YAML-001", 422,
        "this is not valid YAML: {detail}", "不是合法的 YAML：{detail}",
        "check indentation (spaces only), quotes and colons on this line and the one above",
        "请检查本行与上一行的缩进（只能用空格）、引号和冒号";
    DUPLICATE_KEY = "TW-YAML-002", 422,
        "`{key}` is given twice; the first is on line {line}", "`{key}` 写了两次，第一次在第 {line} 行",
        "keep one of them", "只保留其中一个";
    TOO_DEEP = "TW-YAML-003", 422,
        "nested more than {max} levels deep", "嵌套超过 {max} 层",
        "flatten this part", "请减少此处的嵌套层数";
    TOO_LARGE = "TW-YAML-004", 413,
        "the file has {size} bytes; at most {max} are read", "文件有 {size} 字节，最多读取 {max} 字节",
        "move generated or bulky content out of this file", "请把生成的或大段的内容移出此文件";
    TOO_MANY = "TW-YAML-005", 422,
        "with its aliases expanded the file is larger than {max} nodes", "展开别名之后，文件超过 {max} 个节点",
        "write out what is needed instead of nesting aliases in aliases", "请直接写出所需内容，不要层层嵌套别名";
    SEVERAL_DOCUMENTS = "TW-YAML-006", 422,
        "a second document starts here", "这里开始了第二个文档",
        "keep one document in the file: remove the `---` line and what follows, or move it to a file of its own",
        "一个文件只放一个文档：删除 `---` 及其后内容，或移到单独的文件";
    RECURSIVE_ALIAS = "TW-YAML-007", 422,
        "this alias stands inside its own anchor", "此别名位于它自己的锚点之内",
        "an anchor can be used only after its value has ended", "锚点只能在其值结束之后使用";
    KEY_NOT_TEXT = "TW-YAML-008", 422,
        "a key must be plain text", "键必须是普通文本",
        "write `name: value`; to begin a value with `{`, `[` or `*`, put it in quotes",
        "请写成 `name: value`；若值以 `{`、`[` 或 `*` 开头，请加引号";
    BAD_MERGE = "TW-YAML-009", 422,
        "`<<` takes a mapping or a list of mappings, not {found}", "`<<` 后面必须是映射或映射的列表，而不是{found}",
        "point it at an anchor on a mapping: `<<: *name`", "请指向一个映射的锚点：`<<: *name`";
    NOT_UTF8 = "TW-YAML-010", 422,
        "the file is not UTF-8", "文件不是 UTF-8 编码",
        "save it as UTF-8", "请以 UTF-8 编码保存";
}
