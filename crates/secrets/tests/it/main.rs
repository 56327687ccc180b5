mod mask;
mod ring;
mod scan;
